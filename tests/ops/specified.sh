#!/bin/sh
# What the specifications of canvas and secsync demand of a better server, and
# the test that shows each: a row is the section, the demand, a file of tests and
# a line of it.  A test that is gone leaves its row without one.
set -u
number=0 failed=0

# shown SECTION DEMAND FILE TEXT
shown()
{
	number=$((number + 1))
	if grep -qF -- "$4" "tests/$3"; then
		echo "ok $number - $1: $2"
	else
		echo "not ok $number - $1: $2: not in tests/$3"
		failed=1
	fi
}

# canvas.md, section 14: what kills, corrupts or loses there
c='canvas 14' hostile=wire/canvas_hostile.wire run=interop/canvas/run.mjs
rule=unit/test_rule_canvas.c
shown "$c" 'a frame of null' $hostile 'A> text null'
shown "$c" 'an array of patches that is null' $hostile '"documentPatches":null}'
shown "$c" 'a patch of null' $hostile '"documentPatches":[null]}'
shown "$c" 'a component of null' $hostile '{"e/c":null}'
shown "$c" 'presence of null' $hostile '"ephemeralPatches":[null]}'
shown "$c" 'a reconnect with patches of null' $hostile \
    '"protocolVersion":2,"documentPatches":null}'
shown "$c" 'an object with a length for an array' $hostile '{"length":1e9}'
shown "$c" 'a delta of length -1' $hostile '"len":-1'
shown "$c" 'a delta of length 1.5' $hostile '"len":1.5'
shown "$c" 'a delta without runs' $hostile '"__buf":1,"len":2}}}'
shown "$c" 'a delta with a run of null' $hostile '"runs":[null]'
shown "$c" 'a delta of length 4e9' $hostile '"len":4e9'
shown "$c" 'a delta that makes much of little' $rule \
    a_request_may_move_only_so_much
shown "$c" '100,000 levels' $hostile 'set D5 '
shown "$c" 'a target that is no URL' wire/canvas_root.wire 'D connect //['
shown "$c" 'names of prototypes' $hostile '"constructor":{"_exists":true'
shown "$c" 'a clientId __proto__' $hostile 'clientId=__proto__'
shown "$c" 'a text for a component' $hostile '{"e/c":"text"}'
shown "$c" 'an array for a component' $hostile '{"e/c":[1]}'
shown "$c" 'texts in a buffer' $hostile '"runs":[[0,["x"]]]'
shown "$c" 'all of a request or nothing' $hostile '"len":13,"runs":[]'
shown "$c" 'acknowledged is on disk: kill -9' wire/canvas_reconnect.wire \
    'restart all kill'
shown "$c" 'kill -9 in the middle, real clients' $run \
    'a broker killed in the middle'
shown "$c" 'a write that fails is not acknowledged' $run \
    'loses nothing acknowledged'
shown "$c" 'a full disk refuses who would write' wire/canvas_full.wire \
    'A refused'
shown "$c" 'damage is not an empty room' $run 'a damaged room is closed'
shown "$c" 'two that come at once are in one room' $run \
    'two that come at once meet'
shown "$c" 'a room that is left just now' $run 'also in a room left just now'
shown "$c" 'a room ../x' wire/canvas_connect.wire 'roomId=../../x'
shown "$c" 'a room with NUL and /' wire/canvas_connect.wire 'roomId=a%00b%2Fc'
shown "$c" 'numbers never go back' $run 'numbers go on'
shown "$c" 'frames before the decision' wire/canvas_early.wire 'A glue'
shown "$c" 'readers that are slow' $run 'who reads too late is brought level'
shown "$c" 'presence is bounded' unit/test_canvas_message.c \
    what_is_too_much_for_a_card_changes_nothing
shown "$c" 'rooms are bounded' wire/canvas_quota.wire 'store_records_max 1'
shown "$c" 'sessions are bounded' wire/canvas_crowded.wire 'sessions_per_store_max'
shown "$c" 'an old socket that is dead' wire/canvas_silent.wire \
    '"count":1}'
shown "$c" 'undo of a singleton' $run "undo of a singleton"
shown "$c" 'a clientId is its token'"'"'s' $run 'for one clientId only'

# Section 16: what is durable, and in which order
c='canvas 16'
shown "$c" '1 refused as a whole' $rule too_many_zeros_refuse_the_request
shown "$c" '2 one order for all of a room' $run \
    'numbers rise on every socket and make the same room'
shown "$c" '3 nothing leaves before it is durable' ops/invariants.sh \
    'answers leave before the flush'
shown "$c" '4 no timer, one flush for many' ops/flushes.sh 'flush'
shown "$c" '5 a flush that fails' $run 'a disk that fails with'
shown "$c" '6 damage refuses the room' $run 'a damaged room is closed'
shown "$c" '8 the true name inside' wire/canvas_connect.wire 'a%00b%2Fc%0A'
shown "$c" 'resync heals what was restored' wire/canvas_reconnect.wire \
    '{"type":"resync","since":2}'

# Section 17: where the original leaves room
c='canvas 17'
shown "$c" 'malformed: ignored, the socket stays' $hostile \
    '# No message of ours'
shown "$c" 'nesting is limited' $hostile 'canvas_depth_max 16'
shown "$c" 'zeros are limited' $hostile 'canvas_fill_max 10'
shown "$c" 'singletons are not deleted' $rule a_singleton_is_not_deleted
shown "$c" 'tombstones stay' $rule a_tombstone_holds_nothing
shown "$c" 'a slow reader: 1013 where nothing else helps' $run \
    'who falls behind while presence ends is let go'
shown "$c" 'a frame larger than any queue' $run 'a component of 5 MB'
shown "$c" 'a huge request holds up nobody' $run 'holds up no other room'
shown "$c" 'pings' wire/canvas_silent.wire 'ping_ms'
shown "$c" 'refused at the upgrade' wire/canvas_crowded.wire '503'
shown "$c" 'a refresh holds what follows' wire/canvas_rights.wire \
    'what follows it waits for the decision'

# secsync.md
s=unit/test_secsync_message.c b=interop/secsync/behaviour.test.js
k=wire/secsync_known.wire e=wire/secsync_early.wire w=wire/secsync_write.wire
n=wire/secsync_snapshots.wire r=wire/secsync_refusals.wire
c='secsync 2'
shown "$c" 'canonical JSON' $s the_canonical_json_of_the_original_comes_out
shown "$c" 'hashes and proofs' $s hashes_and_proofs_of_the_original_come_out
shown "$c" 'signatures, good and bad' $s messages_of_the_original_verify
c='secsync 3'
shown "$c" 'each refusal is a frame' $r '{"type":"document-not-found"}'
shown "$c" 'the id is the raw path' interop/secsync/recorded.test.js 'vectors'
shown "$c" 'an id with slashes' wire/secsync_root.wire 'A slash is part of an id'
shown "$c" 'queries: first, twice decoded, unsound' $k 'Decoded twice'
shown "$c" 'frames before the document' $e 'A glue'
shown "$c" 'a long request line' $k 'A long request line'
c='secsync 4'
shown "$c" 'the kind of a message' $s the_kind_follows_public_data
shown "$c" 'binary frames' wire/secsync_malformed.wire 'A> bin'
shown "$c" 'echoes of refused updates' wire/secsync_malformed.wire \
    '"snapshotId":7,"clock":"x"'
shown "$c" 'data for the server is shown to nobody' $e additionalServerData
shown "$c" 'the snapshot its author knows' $k '"knownSnapshotId":"first"'
c='secsync 5'
shown "$c" 'outdated: snapshot, updates, no chain' $n OUTDATED
shown "$c" 'misses updates: only these' $n MISSES
shown "$c" 'the first snapshot' unit/test_rule_secsync.c \
    a_first_snapshot_has_no_parent
shown "$c" 'an update again is never acknowledged' $e \
    'The same update again'
shown "$c" 'a new snapshot is required' wire/secsync_full.wire \
    '"requiresNewSnapshot":true'
shown "$c" 'ephemeral messages, again' $e 'The same ephemeral message again'
shown "$c" 'who is revoked is told' $b 'who is revoked hears nothing more'
shown "$c" 'a grant that ends' $b 'a reader whose token ends'
shown "$c" 'members that are allowed' wire/secsync_extra.wire 'title string 20'
c='secsync 6'
shown "$c" 'newer for each author' $k 'What is newer is so for each author'
shown "$c" 'complete, and the snapshot is known' $k 'Complete: the snapshot'
shown "$c" 'an ancestor: the chain' $n 'Who knows an ancestor'
shown "$c" 'unknown: all' $n 'Who knows one that is not here'
shown "$c" 'begun only by who may' $b 'nobody may read what is not his'
c='secsync 7'
shown "$c" 'no keystroke is lost' interop/secsync/stress.test.js \
    'rounds lose nothing'
shown "$c" 'held, and taken by another' $b \
    'what is held and then taken by another'
shown "$c" 'held, and a newer snapshot' $b \
    "what is held when another's snapshot comes"
shown "$c" 'refusals are delayed' unit/test_secsync_recover.c \
    refusals_in_a_row_are_delayed
shown "$c" 'what no honest client sends' wire/secsync_bad.wire \
    '{"type":"document-error"}'
shown "$c" 'what can never succeed' wire/secsync_quota.wire \
    '{"type":"document-error"}'
c='secsync 8'
shown "$c" 'a stop answers what was received' $b \
    'a relay that is stopped answers'
c='secsync 10'
shown "$c" '1, 2 no message kills' $b 'what does not parse hurts nobody'
shown "$c" '4 limits' wire/secsync_limits.wire secsync_update_max
shown "$c" '4 a slow reader' $b 'a reader that is too slow'
shown "$c" '5 two first readers' $b 'two first snapshots at once'
shown "$c" '7 another document' $w ELSEWHERE
shown "$c" '9 a wrong proof' $n PROOF
shown "$c" '13 nothing between document and news' ops/invariants.sh \
    'the live stream begins too late'
shown "$c" '14 results match connections' $b 'who is revoked hears nothing more'
shown "$c" '15 one order' $b 'two writers at once converge'
c='secsync 11'
shown "$c" 'sizes' $s ciphertext_nonce_and_signature_have_their_sizes
shown "$c" 'the worker is not believed' unit/test_rule_secsync.c \
    what_is_large_is_looked_at_as_what_is_small
c='secsync 13'
shown "$c" 'too large: told, then 1009' wire/secsync_limits.wire 'close 1009'
shown "$c" 'overload: 503' wire/secsync_crowded.wire 503
echo "1..$number"
exit "$failed"

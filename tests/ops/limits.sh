#!/bin/sh
# One store's limits beside another's: an operator sees them, changes them by
# SIGHUP while clients are there, and can do with a full store what he could
# before.
settings='store_records_max 1000
subject_message_max 1K
subject_limits w message=0
store_limits sds:demo bytes=1 records=1 rate=1 message=2K'
. tests/lib/log.sh
. tests/lib/server.sh
. tests/lib/tap.sh
. tests/lib/ctl.sh
set -u
trap 'rm -f "$log"' EXIT
dir=$QUIRE_DIR
live_pid=''

q() { "$ctl" -f "$conf" "$@"; }

# send TOKEN TEXT [STORE]
send()
{
	timeout 20 "$ctl" send "$QUIRE_URL/ws/${3:-demo}?token=$1" "$2" \
	    >/dev/null 2>&1
}

# limits LIMIT ...: demo's, from now on.
limits()
{
	from=$(($(wc -l <"$log") + 1))
	sed "s/^store_limits .*/store_limits sds:demo $*/" "$conf" \
	    >"$conf.new" && mv "$conf.new" "$conf"
	kill -HUP "$QUIRE_BROKER"
	soon logged 'reloaded|nothing changed'
}

logged() { tail -n "+$from" "$log" | grep -qE -e "$1"; }

records() { q stores -j "sds:$1" | sed -n 's/.*"records": \([0-9]*\).*/\1/p'; }

works()
{
	name=$1
	shift
	q "$@" >"$out" 2>&1
	r=$?
	ok $r "$name"
	[ $r -eq 0 ] || sed 's/^/# /' "$out"
}

other=$(q token -k "$dir/keys" -s w -a other -S write)
few=$(q token -k "$dir/keys" -s few -a other -S write)

send "$ADMIN" one && send "$ADMIN" two
ok $? 'an admin writes to a store that is full'
send "$WRITE" three
send "$other" one other && send "$other" two other
ok $? 'somebody to another'
is 'nobody else to the full one' "$(records demo)" 2
send "$other" "$(printf '%01500d' 0)" other
ok $? 'a large message of one subject'
send "$few" "$(printf '%01500d' 0)" other
is '... is too large of another' $? 65

q stores -j sds:demo >"$out"
has 'the limits of one' "$out" '"bytes_max": 1,'
has '... the records' "$out" '"records_max": 1,'
has '... a message' "$out" '"message_max": 2048,'
has '... the rate' "$out" '"rate_max": 1,'
has '... what holds for all' "$out" '"sessions_max": 1024,'
q stores -j sds:other >"$out"
has 'the limits of the other' "$out" '"records_max": 1000,'
has '... none' "$out" '"bytes_max": 0,'
q stores >"$out"
has 'in a line' "$out" '^sds 0 2 0 2 0 [0-9]+ [0-9]+ 1 1 2048 1024 1 "demo"$'
q stores sds:demo >"$out"
has 'in a table' "$out" 'bytes_max +records_max +message_max +sessions_max +rate_max'

# --- SIGHUP ------------------------------------------------------------------

listen live "$READ"
soon there 1
limits records=3
logged 'setting store_limits: changed'
ok $? 'SIGHUP: other limits'
send "$WRITE" three
ok $? '... there is room for one more'
soon grep -q three "$dir/live.out"
ok $? '... who is connected gets it'
send "$WRITE" four
is '... and for no other' "$(records demo)" 3
cp "$conf" "$dir/good"
limits byte=1
logged "nothing changed: $conf:[0-9]*: \"byte=1\": there is no such limit"
ok $? 'a limit that is none'
"$ctl" -f "$dir/good" stores -j sds:demo >"$out"
has '... and all is as it was' "$out" '"records_max": 3,'
limits records=3 sessions=1
timeout 20 "$ctl" listen "$QUIRE_URL/ws/demo?token=$READ" >/dev/null 2>"$out"
has 'less than are there: nobody more' "$out" '1013 Try again later'
kill -0 "$live_pid"
ok $? '... and who is there stays'

# --- all of it used up -------------------------------------------------------

limits bytes=1 records=1 rate=1 message=1 sessions=1
works 'export' export sds:demo "$dir/demo"
works 'quarantine' quarantine sds:demo
works 'its end' quarantine -r sds:demo
works 'compact' compact sds:demo
works 'verify' verify sds:demo
works 'backup' backup "$dir/backup"
works 'import' import -f sds:demo "$dir/demo"
is '... all of it' "$(records demo)" 3
works 'delete' delete -y sds:demo
q stores sds:demo >"$out" 2>&1
has '... it is gone' "$out" 'there is no such store'
finished

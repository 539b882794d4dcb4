#!/bin/sh
# A worker that is told to stop in its first moment takes nobody along.
. tests/lib/server.sh
. tests/lib/tap.sh

log=$QUIRE_DIR/second.log
LD_PRELOAD=$QUIRE_B/tests/preload/termed.so "$QUIRE_B/quire-worker" -d -S off \
    -u nobody -s "$QUIRE_DIR/broker.sock" -l 127.0.0.1:0 2>"$log" &
listener=$!
soon grep -q 'listening on' "$log"
url=http://$(sed -n 's/.*listening on //p' "$log")/health
curl -s -m 10 -o "$QUIRE_DIR/answer" "$url"
curl -s -m 10 -o "$QUIRE_DIR/answer" "$url"
kill -0 "$listener" 2>/dev/null
ok $? 'the listener goes on'
! grep -E 'signal|stopping' "$log"
ok $? 'its workers end by themselves'
kill -TERM "$listener"
wait "$listener"
is 'and it stops when it is told itself' "$?" 0
finished

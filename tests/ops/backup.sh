#!/bin/sh
# quirectl backup while writers go on, verified; restore of it into a new
# directory, and what stands in the way is not overwritten.
. tests/lib/server.sh
set -eu
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf

send()
{
	"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" "$1"
}

i=0
while [ $i -lt 30 ]; do
	i=$((i + 1))
	send "patch $i"
done
"$ctl" -f "$conf" verify >"$QUIRE_DIR/live"
"$ctl" -f "$conf" backup "$QUIRE_DIR/still" >"$QUIRE_DIR/out"
cmp "$QUIRE_DIR/live" "$QUIRE_DIR/out"
! "$ctl" -f "$conf" backup "$QUIRE_DIR/still" || exit 1

# With a writer: some number between those before and after.
(i=0; while [ $i -lt 40 ]; do i=$((i + 1)); send "more $i"; done) &
writer=$!
n=0
while [ $n -lt 5 ]; do
	n=$((n + 1))
	"$ctl" -f "$conf" backup "$QUIRE_DIR/moving$n" >"$QUIRE_DIR/out"
	grep -q '^sds:demo whole seq [3-7][0-9] ' "$QUIRE_DIR/out"
done
wait $writer

# Restored: not over a running broker, not over another store.
! "$ctl" -f "$conf" restore "$QUIRE_DIR/still" || exit 1
sed "s|^data .*|data $QUIRE_DIR/new|" "$conf" >"$QUIRE_DIR/conf2"
mkdir "$QUIRE_DIR/new"
"$ctl" -f "$QUIRE_DIR/conf2" restore "$QUIRE_DIR/still" >"$QUIRE_DIR/out"
"$ctl" verify -d "$QUIRE_DIR/new" | cmp - "$QUIRE_DIR/live"
! "$ctl" -f "$QUIRE_DIR/conf2" restore "$QUIRE_DIR/still" || exit 1

# When the last one was outlasts the broker; a copy knows of none.
told()
{
	"$ctl" -f "$conf" status 2>/dev/null | sed -n 's/^last_backup //p'
}

last=$(told)
[ "$last" -gt 0 ]
[ ! -e "$QUIRE_DIR/new/backed-up" ]
kill "$QUIRE_BROKER"
tries=100
until "$ctl" verify -d "$QUIRE_DIR/data" >/dev/null 2>&1; do
	tries=$((tries - 1))
	[ $tries -gt 0 ]
	sleep 0.1
done
"$QUIRE_B/quired" -d -f "$conf" &
next=$!
tries=100
until [ -n "$(told)" ]; do
	tries=$((tries - 1))
	[ $tries -gt 0 ]
	sleep 0.1
done
[ "$(told)" = "$last" ]
kill $next
wait $next

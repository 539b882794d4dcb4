#!/bin/sh
# A store in quarantine is read and not written, or not opened; the other goes
# on; it stays so until it is released or restored.
. tests/lib/server.sh
set -eu
ctl=$QUIRE_B/quirectl
q="$ctl -f $QUIRE_DIR/conf"
url="$QUIRE_URL/ws/demo?token=$WRITE"
other="$QUIRE_URL/ws/other?token=$($q token -s me -a other -S write -t 1h)"

"$ctl" send "$url" one
$q backup "$QUIRE_DIR/backup" >/dev/null
$q quarantine sds:demo
! "$ctl" send "$url" refused || exit 1
"$ctl" send "$other" fine
$q verify sds:demo | grep -q ' whole seq 1 '
$q quarantine -r sds:demo
"$ctl" send "$url" two
$q quarantine -c sds:demo
! "$ctl" send "$url" refused || exit 1
! "$ctl" listen "$url" || exit 1
$q verify sds:demo | grep -q ' whole seq 2 '
! $q quarantine sds:nothing || exit 1
"$ctl" send "$other" fine
$q restore "$QUIRE_DIR/backup" sds:demo
"$ctl" send "$url" two
$q verify sds:demo | grep -q ' whole seq 2 '

# Twice the same, for a compaction to drop.
"$ctl" send "$url" two
# A page damaged on the disk: one start that ends, then all others are served.
$q backup "$QUIRE_DIR/last" >/dev/null
mkdir "$QUIRE_DIR/data2"
sed "s|^data .*|data $QUIRE_DIR/data2|; s|broker.sock|b2.sock|
    s|control.sock|c2.sock|" "$QUIRE_DIR/conf" >"$QUIRE_DIR/conf2"
echo 'compact_grace 0' >>"$QUIRE_DIR/conf2"
q="$ctl -f $QUIRE_DIR/conf2"
i=0
broker=
trap '[ -z "$broker" ] || kill "$broker" 2>/dev/null || :' EXIT
"$QUIRE_B/quired" -d -f "$QUIRE_DIR/conf2" &
broker=$!
until $q status >/dev/null 2>&1; do kill -0 $broker; sleep 0.1; done
$q restore "$QUIRE_DIR/last" sds:demo
$q export sds:demo "$QUIRE_DIR/e"
while [ $i -lt 40 ]; do
	i=$((i + 1))
	$q import "sds:number$i" "$QUIRE_DIR/e"
done
kill $broker
wait $broker
offset=$(grep -abo 'one' "$QUIRE_DIR/data2/record.db" | tail -n 1 | cut -d: -f1)
printf X | dd of="$QUIRE_DIR/data2/record.db" bs=1 seek="$offset" \
    conv=notrunc 2>/dev/null
"$QUIRE_B/quired" -d -f "$QUIRE_DIR/conf2" &
broker=$!
until $q status >/dev/null 2>&1; do kill -0 $broker; sleep 0.1; done
! $q verify >/dev/null || exit 1
! wait $broker || exit 1
[ -s "$QUIRE_DIR/data2/quarantine" ]
"$QUIRE_B/quired" -d -f "$QUIRE_DIR/conf2" 2>"$QUIRE_DIR/log2" &
broker=$!
until $q status >/dev/null 2>&1; do kill -0 $broker; sleep 0.1; done
grep -q 'sds:demo: in quarantine, closed' "$QUIRE_DIR/log2"
[ ! -e "$QUIRE_DIR/data2/quarantine" ]
$q delete -y sds:number40
# The pages of all stores are gone along when much was dropped: the same.
$q compact >/dev/null 2>&1 || :
! wait $broker || exit 1
[ -s "$QUIRE_DIR/data2/quarantine.space" ]
"$QUIRE_B/quired" -d -f "$QUIRE_DIR/conf2" 2>"$QUIRE_DIR/log2" &
broker=$!
until $q status >/dev/null 2>&1; do kill -0 $broker; sleep 0.1; done
grep -q 'a page is damaged; verify names the store' "$QUIRE_DIR/log2"
$q delete -y sds:number39
kill $broker
wait $broker
# A note that was cut short on its way to the disk names nobody.
printf sds:number12 >"$QUIRE_DIR/data2/quarantine"
"$QUIRE_B/quired" -d -f "$QUIRE_DIR/conf2" 2>"$QUIRE_DIR/log2" &
broker=$!
until $q status >/dev/null 2>&1; do kill -0 $broker; sleep 0.1; done
! grep 'sds:number1' "$QUIRE_DIR/log2" || exit 1
kill $broker
wait $broker
# The list of stores itself: nothing can be opened, and that is what is said.
offset=$(grep -abo 'number1' "$QUIRE_DIR/data2/name.db" | head -n 1 | cut -d: -f1)
printf X | dd of="$QUIRE_DIR/data2/name.db" bs=1 seek="$offset" \
    conv=notrunc 2>/dev/null
i=0
while [ $i -lt 3 ]; do
	i=$((i + 1))
	"$QUIRE_B/quired" -d -f "$QUIRE_DIR/conf2" 2>"$QUIRE_DIR/log2" &
	broker=$!
	until $q verify >/dev/null 2>&1; do
		kill -0 $broker 2>/dev/null || break
		sleep 0.1
	done
	! wait $broker || exit 1
done
grep -q 'name.db: the list of stores is damaged' "$QUIRE_DIR/log2"

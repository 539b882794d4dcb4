#!/bin/sh
# One store: exported, deleted, imported, under another name, and restored from
# a backup, all beside the traffic of another; damaged exports are refused.
. tests/lib/server.sh
set -eu
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf
q="$ctl -f $conf"
other=$($q token -s me -a other -S write -t 1h)

# hashes STORE: chain and state, as verify prints them
hashes()
{
	$q verify "$1" | sed 's/.* chain/chain/'
}

# read_alone: who has read the manual and nothing else finds the same in the file.
read_alone()
{
	command -v python3 >/dev/null || return 0
	python3 tests/ops/stream.py "$QUIRE_DIR/file" >"$QUIRE_DIR/alone"
	$q verify sds:demo | sed 's/ state.*//' | cmp - "$QUIRE_DIR/alone"
}

i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" "patch $i"
done
"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" "$(head -c 100000 /dev/zero |
    tr '\0' x)"
mkfifo "$QUIRE_DIR/heard"
"$ctl" listen "$QUIRE_URL/ws/other?token=$other" >"$QUIRE_DIR/heard" &
exec 3<"$QUIRE_DIR/heard"
"$ctl" send "$QUIRE_URL/ws/other?token=$other" before
read -r line <&3

hashes sds:demo >"$QUIRE_DIR/was"
$q export sds:demo "$QUIRE_DIR/file"
read_alone
$q backup "$QUIRE_DIR/backup" >/dev/null
! $q export sds:nothing "$QUIRE_DIR/none" || exit 1
[ ! -e "$QUIRE_DIR/none" ]
$q import sds:copy "$QUIRE_DIR/file"
hashes sds:copy | cmp - "$QUIRE_DIR/was"
! $q import sds:copy "$QUIRE_DIR/file" || exit 1
! $q import canvas:copy "$QUIRE_DIR/file" || exit 1
! $q verify canvas:copy || exit 1
$q delete -y sds:demo
! $q verify sds:demo || exit 1
$q import -f sds:demo "$QUIRE_DIR/file"
hashes sds:demo | cmp - "$QUIRE_DIR/was"
"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" more
! hashes sds:demo | cmp -s - "$QUIRE_DIR/was" || exit 1
$q restore "$QUIRE_DIR/backup" sds:demo
hashes sds:demo | cmp - "$QUIRE_DIR/was"

# With a stub for what a compaction dropped.
"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" 'patch 7'
echo 'compact_grace 0' >>"$conf"
$q reload >/dev/null
$q compact sds:demo | grep -q ' dropped 1 '
$q export sds:demo "$QUIRE_DIR/file"
read_alone
hashes sds:demo >"$QUIRE_DIR/was"

# What an import has brought has no name until it is whole, like what a deletion
# left and is being erased: one must outlive the other, whoever is faster.
i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	$q delete -y sds:demo
	$q import sds:demo "$QUIRE_DIR/file"
	hashes sds:demo | cmp - "$QUIRE_DIR/was"
done

# More than is read ahead of an import that waits for another; the questions give
# it the time to.
big=$($q token -s me -a big -S write -t 1h)
{ printf 01; head -c 16000000 /dev/zero | tr '\0' 7; } |
    "$ctl" send -x "$QUIRE_URL/ws/big?token=$big"
hashes sds:big >"$QUIRE_DIR/big"
$q export sds:big "$QUIRE_DIR/large"
mkfifo "$QUIRE_DIR/slow"
$q import sds:slow "$QUIRE_DIR/slow" &
slow=$!
exec 4>"$QUIRE_DIR/slow"
head -c 100 "$QUIRE_DIR/file" >&4
$q import -f sds:big "$QUIRE_DIR/large" &
large=$!
for i in 1 2 3 4 5 6 7 8 9 10; do
	$q status >"$QUIRE_DIR/status.$i"
done
tail -c +101 "$QUIRE_DIR/file" >&4
exec 4>&-
wait $slow
wait $large
hashes sds:slow | cmp - "$QUIRE_DIR/was"
hashes sds:big | cmp - "$QUIRE_DIR/big"

# Cut, and with an octet changed, at several places.
size=$(wc -c <"$QUIRE_DIR/file")
for at in 3 20 60 300 1000 90000 $((size - 40)) $((size - 1)); do
	head -c "$at" "$QUIRE_DIR/file" >"$QUIRE_DIR/bad"
	octet=$(tail -c +$((at + 1)) "$QUIRE_DIR/file" | head -c 1 |
	    od -An -tu1)
	# shellcheck disable=SC2059 # the octet after it, by its number
	printf "\\$(printf %o $(((octet + 1) % 256)))" >>"$QUIRE_DIR/bad"
	tail -c +$((at + 2)) "$QUIRE_DIR/file" >>"$QUIRE_DIR/bad"
	! $q import sds:bad "$QUIRE_DIR/bad" || { echo "octet $at" >&2; exit 1; }
done
! $q verify sds:bad || exit 1
$q verify >/dev/null

# A deletion wants the name again, and what is not there is said.
! echo sds:dem | $q delete sds:demo || exit 1
! $q delete sds:demo </dev/null || exit 1
hashes sds:demo | cmp - "$QUIRE_DIR/was"
! $q compact sds:nothing || exit 1
echo sds:demo | $q delete sds:demo
! $q verify sds:demo || exit 1

# The other store never noticed.
"$ctl" send "$QUIRE_URL/ws/other?token=$other" after
read -r line <&3
[ "$line" = 'PATCH after' ]

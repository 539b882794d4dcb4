#!/bin/sh
# quirectl verify: beside a running relay, over a directory at rest, and over
# one with an octet changed on the disk.
. tests/lib/server.sh
set -eu
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf
line='whole seq 20 oldest 0 records 20 bytes [0-9]* chain [0-9a-f]\{64\} state'

i=0
while [ $i -lt 20 ]; do
	i=$((i + 1))
	"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" "number $i of the needle"
done
"$ctl" -f "$conf" verify >"$QUIRE_DIR/out"
grep -q "^sds:demo $line [0-9a-f]\{64\}\$" "$QUIRE_DIR/out"
"$ctl" -f "$conf" verify sds:demo | cmp - "$QUIRE_DIR/out"
! "$ctl" -f "$conf" verify sds:nothing || exit 1
! "$ctl" -f "$conf" verify -d "$QUIRE_DIR/data" 2>"$QUIRE_DIR/err" || exit 1
grep -q 'in use' "$QUIRE_DIR/err"

# Another directory is left as it is.
mkdir "$QUIRE_DIR/other"
status=0
"$ctl" verify -d "$QUIRE_DIR/other" 2>"$QUIRE_DIR/err" || status=$?
[ $status -eq 66 ] || { echo "status $status" >&2; exit 1; }
grep -q 'there is no store in it' "$QUIRE_DIR/err"
rmdir "$QUIRE_DIR/other"

# As after a crash: the log is there, the pages are not.
cp -R "$QUIRE_DIR/data" "$QUIRE_DIR/copy"
rm "$QUIRE_DIR/copy/lock"
"$ctl" verify -d "$QUIRE_DIR/copy" | cmp - "$QUIRE_DIR/out"
LC_ALL=C sed 's/number 7 of the needle/number 8 of the needle/' \
    "$QUIRE_DIR/copy/record.db" >"$QUIRE_DIR/record.db"
mv "$QUIRE_DIR/record.db" "$QUIRE_DIR/copy/record.db"
status=0
"$ctl" verify -d "$QUIRE_DIR/copy" >"$QUIRE_DIR/out" 2>"$QUIRE_DIR/err" ||
    status=$?
[ $status -eq 65 ] || { echo "status $status" >&2; exit 1; }
grep -q 'checksum error' "$QUIRE_DIR/err"

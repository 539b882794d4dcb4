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
"$ctl" send "$url" refused || :
"$ctl" send "$other" fine
$q verify sds:demo | grep -q ' whole seq 1 '
$q quarantine -r sds:demo
"$ctl" send "$url" two
$q quarantine -c sds:demo
"$ctl" send "$url" refused || :
! "$ctl" listen "$url" || exit 1
$q verify sds:demo | grep -q ' whole seq 2 '
! $q quarantine sds:nothing || exit 1
"$ctl" send "$other" fine
$q restore "$QUIRE_DIR/backup" sds:demo
"$ctl" send "$url" two
$q verify sds:demo | grep -q ' whole seq 2 '

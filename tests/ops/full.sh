#!/bin/sh
# A disk below its floor and every quota used up: writers are refused, and what
# an operator or an admin does works, the deletion above all.
settings='free_floor_bytes 1024G
store_bytes_max 1
store_records_max 1
store_rate_max 1
subject_bytes_max 1
subject_records_max 1'
. tests/lib/server.sh
. tests/lib/tap.sh
set -u
ctl=$QUIRE_B/quirectl
dir=$QUIRE_DIR

q()
{
	"$ctl" -f "$dir/conf" "$@"
}

send()
{
	"$ctl" send "$QUIRE_URL/ws/demo?token=$1" "$2" >"$dir/out" 2>&1
}

works()
{
	name=$1
	shift
	q "$@" >"$dir/out" 2>&1
	r=$?
	ok $r "$name"
	[ $r -eq 0 ] || sed 's/^/# /' "$dir/out"
}

send "$ADMIN" one && send "$ADMIN" two && send "$ADMIN" three
ok $? 'an admin writes'
q stores >"$dir/stores"
has 'what he wrote is there' "$dir/stores" '^sds 0 3 '
send "$WRITE" four
q stores >"$dir/stores"
has 'nobody else can' "$dir/stores" '^sds 0 3 '
works 'export' export sds:demo "$dir/demo"
works 'quarantine' quarantine sds:demo
works 'its end' quarantine -r sds:demo
works 'compact' compact
works 'verify' verify
works 'backup' backup "$dir/backup"
works 'revoke' token revoke subject nobody
"$ctl" listen "$QUIRE_URL/ws/demo?token=$READ" >/dev/null 2>&1 &
soon q kick store sds:demo >"$dir/out" 2>&1
ok $? 'kick'
q import sds:copy "$dir/demo" >"$dir/out" 2>&1
has 'an import would fill the disk, and says so' "$dir/out" 'no room on the disk'
works 'delete' delete -y sds:demo
q stores >"$dir/stores"
is 'no store is left' "$(wc -l <"$dir/stores" | tr -d ' ')" 0
finished

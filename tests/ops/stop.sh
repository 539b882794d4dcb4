#!/bin/sh
# SIGTERM to the broker under load, where nobody waits for the next: clients are
# told, nobody is let in, and every write that was acknowledged is there
# afterwards.
# timeout: 90
set -u
# shellcheck disable=SC2034 # server.sh reads it
settings='echo yes
broker_wait_ms 0'
. tests/lib/server.sh
. tests/lib/tap.sh
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf
url="$QUIRE_URL/ws/demo?token=$WRITE"
broker=
trap '[ -z "$broker" ] || kill "$broker" || :' EXIT

# writer N: send ends well when what it sent is stored, and is noted then.
writer()
{
	i=0
	while [ $i -lt 500 ]; do
		i=$((i + 1))
		timeout 20 "$ctl" send "$url" "write $1.$i." 2>/dev/null ||
		    return
		echo "write $1.$i." >>"$QUIRE_DIR/acknowledged.$1"
	done
}

# noted N: so many writes were acknowledged.
noted()
{
	[ "$(cat "$QUIRE_DIR"/acknowledged.* 2>/dev/null | wc -l)" -ge "$1" ]
}

# The broker is not our child, so that what is left of it stays.
ended()
{
	case $(ps -o stat= -p "$QUIRE_BROKER") in
	Z*|'')	return 0 ;;
	esac
	return 1
}

timeout 60 "$ctl" listen "$QUIRE_URL/ws/demo?token=$READ" \
    >"$QUIRE_DIR/heard" 2>"$QUIRE_DIR/sds" &
sds=$!
timeout 60 "$ctl" listen "$QUIRE_URL/echo" >/dev/null 2>"$QUIRE_DIR/echo" &
echo=$!
for n in 1 2 3; do
	writer $n &
	eval "writer$n=\$!"
done
soon noted 30
ok $? 'a load'
kill -TERM "$QUIRE_BROKER"
wait $sds
is 'an sds client is told in its way' "$(cat "$QUIRE_DIR/sds")" \
    'quirectl: closed: 1001 Going away'
wait $echo
has 'one that echoes, too' "$QUIRE_DIR/echo" '^quirectl: closed: 1012'
for n in 1 2 3; do
	eval "wait \$writer$n"
done
timeout 20 "$ctl" send "$url" 'too late' 2>/dev/null
[ $? -ne 0 ]
ok $? 'nobody is let in'
soon ended
ok $? 'the broker ends'

mkfifo "$QUIRE_DIR/up"
"$QUIRE_B/quired" -d -f "$conf" -r 3 3>"$QUIRE_DIR/up" &
broker=$!
read -r _ <"$QUIRE_DIR/up"
"$ctl" -f "$conf" export sds:demo "$QUIRE_DIR/export"
ok $? 'the store is read'
for n in 1 2 3; do
	while read -r line; do
		grep -aqF "$line" "$QUIRE_DIR/export" || echo "$line"
	done <"$QUIRE_DIR/acknowledged.$n"
done >"$QUIRE_DIR/lost"
is 'nothing that was acknowledged is lost' "$(cat "$QUIRE_DIR/lost")" ''
grep -aqF 'write 9.1.' "$QUIRE_DIR/export"
is '... and what nobody wrote is not there' $? 1
# What a reader was shown is stored, too.
sed -n 's/^PATCH //p' "$QUIRE_DIR/heard" | while read -r line; do
	grep -aqF "$line" "$QUIRE_DIR/export" || echo "$line"
done >"$QUIRE_DIR/lost"
is 'nothing that was shown is lost' "$(cat "$QUIRE_DIR/lost")" ''
timeout 20 "$ctl" send "$url" 'after'
is 'the listener goes on with the new broker' $? 0
finished

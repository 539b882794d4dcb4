#!/bin/sh
# quirectl log-level, trace and top: what goes on, without what it is about.
set -u
. tests/lib/server.sh
. tests/lib/tap.sh
. tests/lib/ctl.sh
url=$QUIRE_URL/ws/demo
tracer=
trap '[ -z "$tracer" ] || kill $tracer' EXIT

# --- log-level ---------------------------------------------------------------

was=$("$ctl" -f "$conf" log-level)
is 'the level is changed' "$("$ctl" -f "$conf" log-level error)" error
is '... and stays so' "$("$ctl" -f "$conf" log-level)" error
is '... until it is changed again' "$("$ctl" -f "$conf" log-level "$was")" \
    "$was"
# A worker that runs is told, and says what it would not have said before.
"$QUIRE_B/quire-worker" -d -u nobody -s "$QUIRE_DIR/broker.sock" \
    -l 127.0.0.1:0 2>"$QUIRE_DIR/log" &
listener=$!
soon grep -q 'listening on' "$QUIRE_DIR/log"
port=$(sed -n 's/.*listening on 127.0.0.1://p' "$QUIRE_DIR/log")
timeout 60 "$ctl" listen "ws://127.0.0.1:$port/ws/demo?token=$READ" \
    >/dev/null 2>&1 &
client=$!
soon sh -c "'$ctl' -f '$conf' connections | grep -q sds:demo"
"$ctl" -f "$conf" log-level debug >/dev/null
"$ctl" -f "$conf" kick subject test >/dev/null
wait $client
soon grep -q 'quire-worker: debug: .*closed by the broker' "$QUIRE_DIR/log"
ok $? 'workers log as the broker does'
"$ctl" -f "$conf" log-level "$was" >/dev/null
kill $listener
"$ctl" -f "$conf" log-level loud 2>/dev/null
is 'no such level: 64' $? 64

# --- trace -------------------------------------------------------------------

# traced FILE OPTION ...: a trace into the file.
traced()
{
	file=$1
	shift
	"$ctl" -f "$conf" trace "$@" >"$file" &
	tracer="$tracer $!"
}

# sees FILE PATTERN: lines come as they come, and the first clients may have
# been there before the trace; so there are clients until one is in it whole.
sees()
{
	timeout 20 "$ctl" send "$url?token=$WRITE" 'a secret body'
	grep -qE "$2" "$1"
}

traced "$out"
soon sees "$out" '^[0-9]+\.[0-9]{3} session [0-9]+ > submit octets=[0-9]+$'
ok $? 'messages are seen, with number, way, name and octets'
soon sees "$out" '< opened octets=[0-9]+ code=ok$'
ok $? '... with a code where there is one, and descriptors'
traced "$QUIRE_DIR/some" -m submit,VERDICT
soon sees "$QUIRE_DIR/some" ' submit '
ok $? 'by name'
is '... nothing else is' "$(sed '$d' "$QUIRE_DIR/some" |
    grep -cv '[<>] \(submit\|verdict\) ')" 0
traced "$QUIRE_DIR/client" -m heard,said,submit
# A request that was read before the broker's WELCOME is not among them.
soon sees "$QUIRE_DIR/client" '> heard octets=[0-9]+ kind=http$'
ok $? 'what clients say, to their workers: kind and octets of a request'
soon sees "$QUIRE_DIR/client" '> heard octets=14 kind=binary$'
ok $? '... and of a message'
traced "$QUIRE_DIR/none" -s 99999
traced "$QUIRE_DIR/last"
soon sees "$QUIRE_DIR/last" ' submit '
is 'of another session nothing' "$(wc -c <"$QUIRE_DIR/none" | tr -d ' ')" 0
"$ctl" -f "$conf" trace -m NOTHING 2>/dev/null
is 'no such message: 65' $? 65
"$ctl" -f "$conf" trace -s x 2>/dev/null
is 'no such number: 65' $? 65
! grep -q 'secret\|eyJ' "$out"
ok $? 'no body and no token is in it'
# shellcheck disable=SC2086
kill $tracer
tracer=

# --- top ---------------------------------------------------------------------

soon there 0
timeout 60 "$ctl" listen "$url?token=$READ" >/dev/null 2>&1 &
tracer=$!
soon there 1
"$ctl" -f "$conf" top -n 1 </dev/null >"$out"
is 'top once: 0' $? 0
has '... has figures and what they grow by' "$out" '^sessions +1 +0\.0$'
has '... and the stores' "$out" '^ +1  sds:demo$'
! grep -q "$(printf '\033')" "$out"
ok $? '... and no escapes where there is no terminal'
"$ctl" -f "$conf" top -n 0 2>/dev/null
is 'not at all: 64' $? 64
if command -v script >/dev/null; then
	printf q | timeout 20 script -qec "'$ctl' -f '$conf' top" /dev/null \
	    >"$out"
	is 'q ends it' $? 0
	mkfifo "$QUIRE_DIR/typed"
	# Not every shell that script may start outlives the interrupt.
	timeout 20 script -qec "trap : INT; '$ctl' -f '$conf' top; stty -a" \
	    /dev/null <"$QUIRE_DIR/typed" >"$out" &
	exec 3>"$QUIRE_DIR/typed"
	soon grep -q connections "$out"
	printf '\003' >&3
	wait $!
	has 'an interrupt does too, and gives the terminal back' "$out" \
	    '(^| )icanon'
	exec 3>&-
else
	skip 'q ends it' 'no script(1)'
	skip 'an interrupt gives the terminal back' 'no script(1)'
fi
finished

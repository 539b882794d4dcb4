#!/bin/sh
# Every command of quirectl prints JSON when it is told to, and no command is
# left out here.
# timeout: 120
set -u
. tests/lib/server.sh
. tests/lib/tap.sh
command -v node >/dev/null || exit 77
ctl="$QUIRE_B/quirectl"
dir=$QUIRE_DIR/json
url="$QUIRE_URL/ws/demo?token"
mkdir "$dir"
: >"$dir/seen"

# run COMMAND [WORD ...]: its output in $dir/out.
run()
{
	echo "$1 ${2:-}" >>"$dir/seen"
	timeout 20 "$ctl" -j -f "$QUIRE_DIR/conf" "$@" </dev/null \
	    >"$dir/out" 2>"$dir/err"
}

# tells STATUS COMMAND [WORD ...]: exits so, and what it prints is JSON.
tells()
{
	want=$1
	shift
	run "$@"
	is "$1 ${2:-}: its status" $? "$want"
	node tests/ops/lines.js <"$dir/out"
	ok $? '... and JSON'
}

# quiet COMMAND [WORD ...]: works, and has nothing to print.
quiet()
{
	run "$@"
	is "$1 $2 works" $? 0
	is '... and is silent' "$(cat "$dir/out")" ''
}

member()
{
	node -p "JSON.parse(require('fs').readFileSync('$dir/out', 'utf8')
	    .split('\\n')[0]).$1"
}

quiet keygen -e "$dir/pair"
quiet keygen "$dir/keys"
tells 0 pubkey "$dir/pair"
is 'pubkey: the algorithm' "$(member alg)" EdDSA
quiet keys add -k "$dir/keys" second
tells 0 keys list -k "$dir/keys"
quiet keys retire -k "$dir/keys" second
tells 0 token mint -k "$QUIRE_DIR/keys" -s me -a demo -S read -t 1h
member token >"$dir/token"
tells 0 token inspect -k "$QUIRE_DIR/keys" "$dir/token"
is 'the token in it is good' "$(node -p "
    JSON.parse(require('fs').readFileSync('$dir/out', 'utf8')).result")" ok
tells 0 token static -s me -a demo -S read
tells 0 token revoke subject nobody
is 'token revoke: nobody' "$(member ended)" 0
tells 0 token revocations
timeout 20 "$ctl" -j listen "$url=$READ" >"$dir/heard" 2>/dev/null &
listener=$!
quiet send "$url=$WRITE" 'a word'
soon test -s "$dir/heard"
echo listen >>"$dir/seen"
is 'listen: what is heard' "$(head -n 1 "$dir/heard")" \
    '{"kind":"PATCH","text":"a word"}'
for command in status stores metrics connections; do
	tells 0 $command
done
tells 0 stores sds:demo
is 'stores: that one' "$(node -p "
    JSON.parse(require('fs').readFileSync('$dir/out', 'utf8'))[0].name")" demo
run stores sds:another
is 'stores: no such' $? 65
alone() { [ "$("$ctl" -f "$QUIRE_DIR/conf" connections | wc -l)" -eq 2 ]; }
soon alone
tells 0 kick subject test
is 'kick: one is ended' "$(member ended)" 1
wait $listener
tells 1 kick subject test
tells 0 reload
tells 0 log-level warn
is 'log-level: the level' "$(member level)" warn
timeout 20 "$ctl" -j -f "$QUIRE_DIR/conf" trace -m hello >"$dir/trace" &
tracer=$!
traced()
{
	"$ctl" send "$url=$WRITE" again
	test -s "$dir/trace"
}
soon traced
kill $tracer
cp "$dir/trace" "$dir/out"
echo trace >>"$dir/seen"
is 'trace: the message' "$(member message)" hello
tells 0 top -n 1
tells 0 backup "$dir/backup"
is 'backup: a store' "$(member store)" sds:demo
tells 0 verify sds:demo
is 'verify: it is whole' "$(member result)" whole
tells 0 compact sds:demo
quiet export sds:demo "$dir/store"
quiet import sds:other "$dir/store"
quiet restore "$dir/backup" sds:demo
quiet quarantine sds:other
quiet delete -y sds:other
echo delete >>"$dir/seen"
echo sds:demo | "$ctl" -j -f "$QUIRE_DIR/conf" delete sds:demo >"$dir/out"
is 'delete works, its name typed' $? 0
tells 0 sandbox worker
[ "$(member missing)" = none ]
ok $? 'sandbox: nothing is missing'
run completion bash
is 'completion is a script all the same' $? 0

"$ctl" '-?' 2>&1 | sed -n 's/^.*\[-f conf\] //p' | while read -r one two _; do
	case $one in
	keys|token)
		grep -qx "$one $two" "$dir/seen" || echo "$one $two"
		;;
	*)
		grep -qE "^$one( |\$)" "$dir/seen" || echo "$one"
		;;
	esac
done >"$dir/missing"
is 'no command is left out' "$(cat "$dir/missing")" ''
finished

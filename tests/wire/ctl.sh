#!/bin/sh
# quirectl against a relay: what send says, listen prints; exits are as the
# manual has them.
. tests/lib/server.sh
set -eu
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf
url=$QUIRE_URL/ws/demo

# is WHAT WANTED FOUND
is()
{
	[ "$2" = "$3" ] || { echo "$1: $3, not $2" >&2; exit 1; }
}

# exits STATUS WORD ...: what quirectl exits with
exits()
{
	want=$1
	shift
	status=0
	"$ctl" "$@" >"$QUIRE_DIR/out" 2>"$QUIRE_DIR/err" || status=$?
	is "$*" "$want" $status
}

mkfifo "$QUIRE_DIR/heard"
"$ctl" listen "$url?token=$READ" >"$QUIRE_DIR/heard" 2>"$QUIRE_DIR/end" &
listen=$!
exec 3<"$QUIRE_DIR/heard"
exits 0 send "$url?token=$WRITE" 'hello, world'
read -r line <&3
is 'a patch' 'PATCH hello, world' "$line"
exits 0 send "$url?token=$WRITE" "$(printf 'a\001b')"
read -r line <&3
is 'a patch with a control' 'PATCH 610162' "$line"
exits 0 send "$url?token=$READ" 'dropped: read scope'
exits 0 send "$url?token=$WRITE" 'last'
read -r line <&3
is 'what read scope may not say' 'PATCH last' "$line"

printf '0161\n04\n01E4\n' >"$QUIRE_DIR/lines"
exits 0 send -x "$url?token=$WRITE" <"$QUIRE_DIR/lines"
read -r line <&3
is 'the first line' 'PATCH a' "$line"
read -r line <&3
is 'the second' 'PRESENCE ' "$line "
read -r line <&3
is 'the third' 'PATCH e4' "$line"
echo 012 >"$QUIRE_DIR/lines"
exits 65 send -x "$url?token=$WRITE" <"$QUIRE_DIR/lines"
is 'half an octet' 'quirectl: warn: line 1: not octets in hexadecimal' \
    "$(cat "$QUIRE_DIR/err")"

exits 77 send "$url?token=nothing" x
is 'a refusal' 'quirectl: closed: 4001 Unauthorized' "$(cat "$QUIRE_DIR/err")"
exits 77 send "$QUIRE_URL/ws/other?token=$WRITE" x
exits 69 send "$QUIRE_URL/nothing" x
exits 1 listen "$url?token=nothing"

token=$("$ctl" -f "$conf" token -s me -a mine -S write -t 1h)
exits 0 send "$QUIRE_URL/ws/mine?token=$token" 'mine'

# Who holds only the public half of a key takes tokens and makes none.
exits 0 keygen -e -K pair "$QUIRE_DIR/pair"
exits 73 keygen -e "$QUIRE_DIR/pair"
exits 73 keygen "$QUIRE_DIR/nowhere/keys"
exits 0 pubkey "$QUIRE_DIR/pair"
is 'a public key' 'pair EdDSA pub:' "$(cut -c-15 "$QUIRE_DIR/out")"
cp "$QUIRE_DIR/out" "$QUIRE_DIR/public"
exits 0 token -k "$QUIRE_DIR/pair" -s me -a mine -S write
exits 65 token -k "$QUIRE_DIR/public" -s me -a mine -S write
exits 65 pubkey "$QUIRE_DIR/keys"
exits 64 pubkey

exits 0 -f "$conf" status
grep -q '^version [0-9]' "$QUIRE_DIR/out"
exits 0 -f "$conf" status -j
grep -q '"version": "[0-9]' "$QUIRE_DIR/out"
exits 0 -f "$conf" stores
grep -q '^sds 0 5 1 5 0 [1-9][0-9]* [1-9][0-9]* 0 0 0 1024 0 "*demo"*$' "$QUIRE_DIR/out"
exits 0 -f "$conf" stores -j
grep -q '"name": "mine"' "$QUIRE_DIR/out"
exits 64 -f "$conf" stores -x
exits 64 listen wss://example.org/
exits 69 listen ws://127.0.0.1:1/ws/demo

# The relay's end is a good one for who listens.
kill -TERM "$QUIRE_LISTENER"
status=0
wait $listen || status=$?
is 'listen' 0 $status
is 'the close' 'quirectl: closed: 1001 Going away' "$(cat "$QUIRE_DIR/end")"

#!/bin/sh
# Static tokens on the wire: made by quirectl, taken after a reload, gone with
# their line.
set -u
. tests/lib/server.sh
. tests/lib/tap.sh
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf
auth=$QUIRE_DIR/auth
out=$QUIRE_DIR/out

send()
{
	timeout 20 "$ctl" send "$QUIRE_URL/ws/$2?token=$1" x 2>/dev/null
}

# there: a connection has a store open.
there()
{
	"$ctl" -f "$conf" connections -j | grep -q '"store": "sds:'
}

"$ctl" token static -s ann -S write -a notes -a 'garden*' >"$out"
is 'a token is made: 0' $? 0
token=$(sed -n 1p "$out")
sed -n 2p "$out" >"$auth"
has 'its hash is in the line' "$auth" \
    "^$(printf %s "$token" | sha256sum | cut -d ' ' -f 1) write ann notes garden\\*\$"
! grep -q "$token" "$auth"
ok $? '... and the token is not'

send "$token" notes
is 'without the file it is not taken' $? 77
echo "auth $auth" >>"$conf"
"$ctl" -f "$conf" reload >"$out"
is 'a reload reads the file' $? 0
send "$token" notes
is 'its store is open to it' $? 0
send "$token" garden-2026
is '... and one whose name begins so' $? 0
send "$token" other
is '... and no other' $? 77
send "${token%?}_" notes
is 'nearly is not enough' $? 77
"$ctl" token static -s eve -S read -a notes >"$out"
sed -n 2p "$out" >>"$auth"
read -r reader <"$out"
"$ctl" -f "$conf" reload >/dev/null
timeout 60 "$ctl" listen "$QUIRE_URL/ws/notes?token=$reader" \
    >/dev/null 2>"$QUIRE_DIR/end" &
listener=$!
soon there
ok $? 'a second one'
sed '$d' "$auth" >"$auth.new" && mv "$auth.new" "$auth"
"$ctl" -f "$conf" reload >"$out"
has 'with its line the connection goes' "$out" '^ended 1$'
wait $listener
is '... and is told why' "$(cat "$QUIRE_DIR/end")" \
    'quirectl: closed: 4001 Unauthorized'
send "$token" notes
is 'the first one is as it was' $? 0
echo nonsense >>"$auth"
"$ctl" -f "$conf" reload 2>"$QUIRE_DIR/err"
is 'a line that is none: 65' $? 65
has '... with its number' "$QUIRE_DIR/err" 'auth:2: the hash is not 64'
"$ctl" -f "$conf" token revoke subject ann >"$out"
send "$token" notes
is 'a revocation of its subject counts' $? 77
"$ctl" token static -s ann -S write 2>/dev/null
is 'without a store: 64' $? 64
finished

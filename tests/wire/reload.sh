#!/bin/sh
# quirectl reload and keys: settings and keys change beside connected clients;
# only those whose key is gone have to go.
set -u
. tests/lib/server.sh
. tests/lib/tap.sh
. tests/lib/ctl.sh
# Set by name, below.
old_pid='' young_pid='' fresh=''
keys=$QUIRE_DIR/keys
url=$QUIRE_URL/ws/demo

reload()
{
	"$ctl" -f "$conf" reload >"$out" 2>"$QUIRE_DIR/err"
}

send()
{
	timeout 20 "$ctl" send "$url?token=$1" "$2" 2>/dev/null
}

# mint NAME KID
mint()
{
	eval "$1=\$(\"\$ctl\" token mint -k \"\$keys\" -K \"$2\" -s u -a demo -S write)"
}

reload
is 'nothing new: 0' $? 0
is '... no setting, the keys' "$(tr '\n' ' ' <"$out")" 'keys 1 ended 0 '

# --- settings ----------------------------------------------------------------

listen old "$READ"
soon there 1
printf '%s\n' 'sds_message_max 2K' 'cache_bytes 1M' 'log_level debug' \
    'origin https://a.example' >>"$conf"
reload
is 'settings: 0' $? 0
has '... that count now' "$out" '^now sds_message_max$'
has '... lists too' "$out" '^now origin$'
has '... that count at the next start' "$out" '^restart cache_bytes$'
kill -0 "$old_pid"
ok $? '... and the client is still there'
send "$WRITE" "$(printf '%02000d' 0)"
is 'what is below the new limit passes' $? 0
send "$WRITE" "$(printf '%03000d' 0)"
is 'what is above it does not' $? 65
soon grep -q 000 "$QUIRE_DIR/old.out"
ok $? '... and the old connection goes on'
echo 'sds_message_max yes' >>"$conf"
reload
is 'a configuration that is not valid: 78' $? 78
sed '$d' "$conf" >"$conf.new" && mv "$conf.new" "$conf"
sed "s|^data .*|data /nowhere|" "$conf" >"$QUIRE_DIR/other"
"$ctl" -f "$QUIRE_DIR/other" reload 2>"$QUIRE_DIR/err"
is "another broker's: 65" $? 65
has '... and it says so' "$QUIRE_DIR/err" "another broker's"
kill -HUP "$QUIRE_BROKER"
soon there 1
ok $? 'SIGHUP ends nobody'

# --- keys --------------------------------------------------------------------

"$ctl" keys add -k "$keys" new
is 'a key more: 0' $? 0
is '... stands on top' "$("$ctl" keys list -k "$keys")" 'new HS256 signs
- HS256 signs'
is '... for its owner alone' "$(stat -c %a "$keys")" 600
"$ctl" keys add -k "$keys" new 2>/dev/null
is 'the same name twice: 65' $? 65
mint fresh new
send "$fresh" x
is 'before the reload it is not taken' $? 77
reload
has 'a reload reads it' "$out" '^keys 2$'
send "$fresh" x
is '... and then it is' $? 0
send "$WRITE" x
is '... as the old one is' $? 0
listen young "$fresh"
soon there 2
ok $? 'clients by both keys'

"$ctl" -f "$conf" keys retire -
is 'a key less: 0' $? 0
"$ctl" keys retire -k "$keys" nothing 2>/dev/null
is 'one that is not there: 65' $? 65
"$ctl" keys retire -k "$keys" new 2>/dev/null
is 'the last one: 65' $? 65
reload
has 'the client by the old key has to go' "$out" '^ended 1$'
ended old '... and is told why' '4001 Unauthorized'
send "$WRITE" x
is 'the old token is not taken' $? 77
send "$fresh" 'still here'
is 'the new one is' $? 0
soon grep -q 'still here' "$QUIRE_DIR/young.out"
ok $? '... and the client by the new key has lost nothing'
chmod 644 "$keys"
reload
is 'a key file that others may read: 77' $? 77
chmod 600 "$keys"
"$ctl" keys list -j -k "$keys" >"$out"
has 'keys as JSON' "$out" '"kid": "new"'
kill "$young_pid"
finished

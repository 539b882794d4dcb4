#!/bin/sh
# quirectl reload, SIGHUP and keys: settings and keys change beside connected
# clients; only those whose key is gone have to go.
set -u
. tests/lib/log.sh
. tests/lib/server.sh
. tests/lib/tap.sh
. tests/lib/ctl.sh
# Set by name, below.
old_pid='' young_pid='' third_pid='' fresh='' newer=''
trap 'rm -f "$log"' EXIT
keys=$QUIRE_DIR/keys
url=$QUIRE_URL/ws/demo

reload()
{
	"$ctl" -f "$conf" reload >"$out" 2>"$QUIRE_DIR/err"
}

# The broker's log since the last hup.
logged() { tail -n "+$from" "$log" | grep -qE -e "$1"; }

# hup WHAT PATTERN: a signal, and what the log then says.
hup()
{
	from=$(($(wc -l <"$log") + 1))
	kill -HUP "$QUIRE_BROKER"
	soon logged "$2"
	ok $? "SIGHUP: $1"
	logged "$2" || tail -n "+$from" "$log" | sed 's/^/# /'
}

# conf_with SED: another file of that name.
conf_with() { sed "$1" "$conf" >"$conf.new" && mv "$conf.new" "$conf"; }

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
conf_with '$d'
sed "s|^data .*|data /nowhere|" "$conf" >"$QUIRE_DIR/other"
"$ctl" -f "$QUIRE_DIR/other" reload 2>"$QUIRE_DIR/err"
is "another broker's: 65" $? 65
has '... and it says so' "$QUIRE_DIR/err" "another broker's"
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

# --- SIGHUP ------------------------------------------------------------------

conf_with 's/^sds_message_max .*/sds_message_max 8K/'
hup 'a configuration in the place of the old one' '^quired.*reloaded: 1 keys'
logged 'setting sds_message_max: changed'
ok $? '... what changed'
logged 'setting cache_bytes: changes at the next start only'
ok $? '... what does not'
send "$fresh" "$(printf '%06000d' 0)"
is '... the new limit counts' $? 0

"$ctl" keys add -k "$keys" newest
mint newer newest
send "$newer" x
is 'a new key: not before the signal' $? 77
hup 'a key more' 'reloaded: 2 keys, 0 sessions ended'
listen third "$newer"
soon there 2
ok $? '... its token is taken, and nobody had to go'
kill -0 "$young_pid"
ok $? '... nor has the client by the old key'

echo 'sds_rate yes' >>"$conf"
line=$(wc -l <"$conf")
"$ctl" keys retire -k "$keys" new
hup 'a configuration that is not valid' \
    "nothing changed: $conf:$line: \"sds_rate\": "
conf_with '$d'
there 2
ok $? '... changes no key either'
chmod 666 "$keys"
hup 'a key file that others may write' 'nothing changed: the keys are not'
chmod 600 "$keys"
mv "$keys" "$keys.away"
hup 'a key file that is not there' "nothing changed: $keys: No such file"
mv "$keys.away" "$keys"
there 2
ok $? '... and all is as it was'

hup 'a key less' 'reloaded: 1 keys, 1 sessions ended'
ended young '... its client is told why' '4001 Unauthorized'
send "$fresh" x
is '... its token is not taken' $? 77
send "$newer" 'still there'
is '... the other one is' $? 0
soon grep -q 'still there' "$QUIRE_DIR/third.out"
ok $? '... and the other client has lost nothing'

# As killall would: fan-out and opener are called quired, too.
children=$(cat "/proc/$QUIRE_BROKER/task/$QUIRE_BROKER/children")
# shellcheck disable=SC2086 # words are meant
kill -HUP $children
hup 'all of them' 'reloaded: 1 keys'
# shellcheck disable=SC2086
kill -0 $children
is '... they all go on' $? 0
opener=${children% }
kill -9 "${opener##* }"
from=1
soon logged 'opener is gone; .* quirectl reload does'
ok $? 'the opener is killed: the log says so'
hup 'without an opener' 'nothing changed: the opener is gone'
reload
is '... quirectl reload: 0' $? 0
kill "$third_pid"
finished

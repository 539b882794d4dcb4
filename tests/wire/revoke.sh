#!/bin/sh
# quirectl token revoke, revocations and inspect: live clients are told to go
# and none comes back.
set -u
. tests/lib/server.sh
. tests/lib/tap.sh
. tests/lib/ctl.sh
# Set by name, below.
one='' two='' three=''

# mint NAME SUBJECT [OPTION ...]: a token of it in $NAME
mint()
{
	name=$1 subject=$2
	shift 2
	eval "$name=\$(\"\$ctl\" -f \"\$conf\" token mint -s $subject -a demo -S write \"\$@\")"
}

# unauthorized NAME: its token was taken back.
unauthorized()
{
	ended "$1" "$1 is told that its token is no good" '4001 Unauthorized'
}

revoke()
{
	"$ctl" -f "$conf" token revoke "$@" >"$out" 2>"$QUIRE_DIR/err"
}

refused()
{
	timeout 20 "$ctl" send "$QUIRE_URL/ws/demo?token=$2" x 2>/dev/null
	is "$1" $? 77
}

taken()
{
	timeout 20 "$ctl" send "$QUIRE_URL/ws/demo?token=$2" x
	is "$1" $? 0
}

mint one ann -j t-1
mint two ann -j t-2
mint three bob
listen one "$one"
listen two "$two"
listen three "$three"
soon there 3
ok $? 'three clients'

revoke jti t-1
is 'a jti: one connection' "$(cat "$out")" 1
unauthorized one
refused '... and it is not taken again' "$one"
taken "the subject's other token is" "$two"

# Who only sent is gone when his worker is, which is later.
soon there 2
revoke subject ann
is 'a subject: one connection' "$(cat "$out")" 1
unauthorized two
refused '... and none of its tokens is taken' "$two"
taken "somebody else's is" "$three"

"$ctl" -f "$conf" token revocations >"$out"
has 'the list has a head' "$out" '^kind +made +before +until +text$'
has 'the list has the jti' "$out" '^jti .* t-1$'
has 'the list has the subject' "$out" \
    '^subject +20..-..-..T..:..:..Z +20..-..-..T..:..:..Z +- +ann$'
"$ctl" -f "$conf" token revocations -j >"$out"
has 'as JSON too' "$out" '"text": "ann"'

revoke -d subject ann
is 'a revocation is taken back: 0' $? 0
taken '... and the token is good again' "$two"
refused '... but not the one of the other revocation' "$one"
revoke -d subject ann
is 'what is not there cannot be: 65' $? 65
revoke -b 1000000000 subject bob
is 'issued before 2001: none' "$(cat "$out")" 0
taken '... so the token is good' "$three"
revoke -b 2001-09-09 -t 1h jti ''
is 'the empty jti is none: 65' $? 65
revoke colour red
is 'neither jti nor subject: 64' $? 64

soon there 1
revoke all
is 'all: the last connection' "$(cat "$out")" 1
unauthorized three
refused 'nobody is let in' "$READ"

# --- inspect -----------------------------------------------------------------

printf '%s\n' "$one" | "$ctl" -f "$conf" token inspect >"$out"
is 'a good token: 0' $? 0
has '... which says so' "$out" '^result ok$'
has '... its algorithm' "$out" '^header alg "HS256"$'
has '... and its claims' "$out" '^claim jti "t-1"$'
printf '%s' "${one}x" >"$QUIRE_DIR/token"
"$ctl" -f "$conf" token inspect -j "$QUIRE_DIR/token" >"$out"
is 'one with a wrong MAC: 65' $? 65
has '... which is named' "$out" '"result": "bad-'
has '... and what it says is shown' "$out" '"sub": "ann"'
echo nothing | "$ctl" -f "$conf" token inspect >"$out" 2>&1
is 'no token: 65' $? 65
finished

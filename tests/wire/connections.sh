#!/bin/sh
# quirectl connections and kick: who is there, and who is told to go.
set -u
. tests/lib/server.sh
. tests/lib/tap.sh
. tests/lib/ctl.sh

# gone NAME: the client ended, 1001 as sds has it.
gone()
{
	ended "$1" "$1 is told to go, and goes" '1001 Going away'
}

kick()
{
	"$ctl" -f "$conf" kick "$@" >"$out" 2>"$QUIRE_DIR/err"
}

odd='a"b\c d'
ann=$("$ctl" -f "$conf" token -s 'ann
lee' -a "$odd" -S write)
bob=$("$ctl" -f "$conf" token -s bob -a demo -S write)

listen one "$READ" demo
listen two "$bob" demo
listen three "$ann" 'a%22b%5Cc%20d'
soon there 3
ok $? 'three clients are three connections'
"$ctl" -f "$conf" connections >"$out"
has 'people see a head' "$out" \
    '^id +dialect +scope +lane +since +address +subject +store$'
has 'a line has what is known' "$out" \
    '^[0-9]+ +sds +write +(fast|worker) +[0-9]+s +127\.0\.0\.1 +bob +sds:demo$'
has 'names are escaped' "$out" ' ann\\x0alee +sds:a\\x22b\\x5cc d$'
"$ctl" -f "$conf" connections -j >"$out"
# shellcheck disable=SC2016
has 'JSON has the names themselves' "$out" '"store": "sds:a\\"b\\\\c d"'
id=$("$ctl" -f "$conf" connections | awk '$7 == "bob" { print $1 }')

kick id 99
is 'nobody of that number: 1' $? 1
is '... and none is counted' "$(cat "$out")" 0
kick id x
is 'no number: 65' $? 65
kick colour red
is 'another way: 65' $? 65
kick store demo
is 'a store without a dialect: 65' $? 65

kick id "$id"
is 'by number: 0' $? 0
gone two
kick store 'sds:a\x22b\x5cc d'
is 'by store: one' "$(cat "$out")" 1
gone three
listen two "$bob" demo
listen three "$ann" 'a%22b%5Cc%20d'
soon there 3
ok $? 'who was told to go may come back'
kick subject 'ann\x0alee'
is 'by subject: one' "$(cat "$out")" 1
gone three
soon there 2
kick address 127.0.0.1
is 'by address: all' "$(cat "$out")" 2
gone one
gone two
finished

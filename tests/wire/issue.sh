#!/bin/sh
# Tokens as quire.conf.5 has them made elsewhere: the examples of the page
# itself are run, and the relay takes what they print.
set -u
. tests/lib/server.sh
. tests/lib/tap.sh
. tests/lib/ctl.sh
keys=$QUIRE_DIR/keys

# example NAME: the lines between its marks, as they are to be typed.
example()
{
	sed -n "/^\.\\\\\" begin $1\$/,/^\.\\\\\" end\$/p" man/quire.conf.5 |
	    sed '/^\./d; s/\\e/\\/g'
}

# taken NAME TOKEN
taken()
{
	timeout 20 "$ctl" send "$QUIRE_URL/ws/notes?token=$2" x
	is "a token made with $1 is taken" $? 0
	mac=${2##*.}
	timeout 20 "$ctl" send "$QUIRE_URL/ws/notes?token=${2%.*}.AAAA${mac#????}" \
	    x 2>/dev/null
	is '... and with another signature not' $? 77
}

# The one key of the relay is a secret without a name; here come two more.
"$ctl" keys add -k "$keys" plain
"$ctl" keys add -e -k "$keys" pair
secret=$(sed -n 's/^plain HS256 //p' "$keys")
seed=$(sed -n 's/^pair EdDSA sec://p' "$keys")
kid=pair
# The examples for HS256 name no key, so theirs has no name.
sed -i.was 's/^plain /- /' "$keys"
rm "$keys.was"
export secret seed kid
"$ctl" -f "$conf" reload >/dev/null
is 'the keys are read' $? 0

for name in shell python node; do
	case $name in
	shell)	run='sh' what=openssl ;;
	python)	run='python3' what=python3 ;;
	node)	run='node' what=node ;;
	esac
	example $name >"$QUIRE_DIR/example"
	[ -s "$QUIRE_DIR/example" ]
	ok $? "$name: there is an example"
	if command -v $what >/dev/null; then
		taken $name "$($run "$QUIRE_DIR/example")"
	else
		skip "$name: a token" "no $what"
	fi
done
finished

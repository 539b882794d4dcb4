#!/bin/sh
# A room of the original server comes in as it was and goes out the same; what
# is there already, or is no such file, does not.  wire/canvas_vectors plays on
# with rooms that came in.
set -u
QUIRE_B=${QUIRE_B:-.build}
dir=$(mktemp -d /tmp/quire.XXXXXX) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

check()
{
	n=$((n + 1))
	what=$1
	shift
	if "$@" >"$dir/out" 2>"$dir/err"; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		sed 's/^/# /' "$dir/err"
	fi
}

ctl()
{
	"$QUIRE_B/quirectl" -f "$dir/conf" "$@"
}

# As a user of its own where we are root, since the broker would be one
chmod 711 "$dir"
mkdir -m 700 "$dir/data"
{
	echo "data $dir/data"
	[ "$(id -u)" = 0 ] && echo 'user nobody' || echo 'user ""'
} >"$dir/conf"

file()
{
	printf '%s\n' "$2" >"$dir/$1"
}

comes_back()
{
	ctl import -c "$1" "$dir/$1" && ctl export --canvas "$1" >"$dir/back" &&
	    cmp "$dir/$1" "$dir/back"
}

fails()
{
	"$@" && return 1
	[ $? -eq 65 ]
}

file room '{"timestamp":7,"state":{"e1/p":{"_exists":true,"x":1.50,"p":[1,[2,"a"],null],"s":"é\"\ud83d"},"dead/p":{"_exists":false},"old/p":{"x":1},"SINGLETON/s":{}},"timestamps":{"e1/p":{"_exists":2,"x":5,"p":2,"s":7},"dead/p":{"_exists":7},"old/p":{"x":1},"SINGLETON/s":{}}}'
file empty '{"timestamp":0,"state":{},"timestamps":{}}'
large=$(awk 'BEGIN { for (i = 0; i < 40000; i++) printf "%s%d", i ? "," : "", i }')
file large '{"timestamp":1,"state":{"a/b":{"_exists":true,"p":['"$large"']}},"timestamps":{"a/b":{"_exists":1,"p":1}}}'
file newer '{"timestamp":1,"state":{"a":{"x":1}},"timestamps":{"a":{"x":2}}}'
file shape '{"timestamp":1,"state":{"a":7},"timestamps":{}}'
file json '{"timestamp":1,"state":{}'

for room in room empty large; do
	check "$room comes back octet for octet" comes_back "$room"
done
check 'what is there is not replaced' fails ctl import --canvas room "$dir/room"
for room in newer shape json; do
	check "$room is refused" fails ctl import -c "$room" "$dir/$room"
	check "$room left nothing" fails ctl export --canvas "$room"
done
check 'the store is whole' ctl verify -d "$dir/data"
echo "1..$n"

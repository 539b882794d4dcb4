#!/bin/sh
# timeout: 60
# What a newcomer gets wrong, and the line that says so: it names the word, and
# what helps where that is not plain.
set -u
bin=${QUIRE_B:-.build}
. tests/lib/tap.sh
dir=$(mktemp -d)
holder=
trap '[ -z "$holder" ] || kill "$holder"; rm -rf "$dir"' EXIT

conf()
{
	cat >"$dir/conf" <<-END
	data $dir/data
	socket $dir/broker.sock
	control $dir/control.sock
	keys $dir/keys
	user ""
	END
	printf '%s\n' "$@" >>"$dir/conf"
}

# says NAME PATTERN COMMAND ...: it fails, and the first lines it prints match.
says()
{
	name=$1 pattern=$2
	shift 2
	timeout 10 "$@" >"$dir/said" 2>&1
	status=$?
	[ $status -gt 0 ] && [ $status -lt 124 ]
	ok $? "$name: it ends"
	has "$name: it says why" "$dir/said" "$pattern"
}

mkdir -m 700 "$dir/data"
"$bin/quirectl" keygen "$dir/keys"

conf 'prot 3000'
says 'a setting that is none' 'conf:6: "prot": there is no such setting' \
    "$bin/quired" -d -f "$dir/conf"
conf 'sds maybe' 'ping_ms 5 parsecs'
says 'a bad value' 'conf:6: "maybe": is neither yes nor no' \
    "$bin/quired" -d -f "$dir/conf"
has 'and the next one' "$dir/said" 'conf:7: "5 parsecs": does not end in a unit'
conf 'store_limits sds:team-* bytes=1G record=5' 'subject_limits ann rate=1K'
says 'a limit that is none' 'conf:6: "record=5": there is no such limit' \
    "$bin/quired" -n -f "$dir/conf"
has 'and a bad value of one' "$dir/said" 'conf:7: "rate=1K": does not end in a unit'
conf 'origin example.org' 'proxy 10.0.0.0/33' 'canvas_prefix /ws/x'
says 'a value of a form of its own' \
    'conf:6: "example.org": is not scheme://host' \
    "$bin/quired" -n -f "$dir/conf"
has 'another' "$dir/said" 'conf:7: "10.0.0.0/33": has no such network size'
has 'and one more' "$dir/said" 'conf:8: "/ws/x": belongs to another dialect'
says 'no configuration' 'nothere: No such file' \
    "$bin/quired" -d -f "$dir/nothere"
conf
chmod 644 "$dir/keys"
says 'a key for all to read' 'keys: the key file may be read .*: chmod 600' \
    "$bin/quired" -d -f "$dir/conf"
chmod 600 "$dir/keys"
mv "$dir/keys" "$dir/away"
says 'no keys' "setting keys: quirectl keygen $dir/keys makes one" \
    "$bin/quired" -d -f "$dir/conf"
(umask 077; echo secret >"$dir/keys")
says 'a short secret' 'keys:1: the only word has fewer than 32 octets' \
    "$bin/quired" -d -f "$dir/conf"
mv "$dir/away" "$dir/keys"
rmdir "$dir/data"
says 'no directory' "setting data: $dir/data: No such file" \
    "$bin/quired" -d -f "$dir/conf"
if [ "$(id -u)" -eq 0 ]; then
	mkdir -m 700 "$dir/data"
	sed -i 's/^user.*/user nobody-here/' "$dir/conf"
	says 'no user' 'settings user and group: there is no user nobody-here$' \
	    "$bin/quired" -d -f "$dir/conf"
	is 'and it says so once' "$(wc -l <"$dir/said")" 1
	says 'no user of workers' 'there is no user nobody-here; -u and -g' \
	    "$bin/quire-worker" -d -u nobody-here -l 127.0.0.1:0
else
	skip 'no user' 'for root only'
fi

for address in 127.0.0.1:99999 127.0.0.1:web; do
	says "$address" "$address: the port is no number up to 65535" \
	    "$bin/quire-worker" -d -u '' -s "$dir/broker.sock" -l "$address"
done
says 'no port' '127.0.0.1: not ADDRESS:PORT' \
    "$bin/quire-worker" -d -u '' -s "$dir/broker.sock" -l 127.0.0.1
has 'no broker' "$dir/said" 'no broker answers there'
mkfifo "$dir/ready"
"$bin/quire-worker" -d -u '' -s "$dir/broker.sock" -l 127.0.0.1:0 -r 3 \
    2>"$dir/holder" 3>"$dir/ready" &
holder=$!
read -r _ <"$dir/ready"
[ "$(id -u)" -ne 0 ] || has 'root that stays root' "$dir/holder" \
    'sandbox: without uid .uid: started as root, told to be no other user'
port=$(sed -n 's/.*listening on 127.0.0.1://p' "$dir/holder")
says 'a port in use' "127.0.0.1:$port: Address already in use" \
    "$bin/quire-worker" -d -u '' -s "$dir/broker.sock" -l "127.0.0.1:$port"

says 'a command that is none' 'frobnicate: there is no such command' \
    "$bin/quirectl" frobnicate
says 'a scope that is none' '[-]S all: not read, write or admin' \
    "$bin/quirectl" token -k "$dir/keys" -s a -a b -S all
says 'a time that is none' '[-]t 5x: not a number with s, m, h or d' \
    "$bin/quirectl" token -k "$dir/keys" -s a -a b -S read -t 5x
says 'claims that are none' '[-]x: not an object of JSON' \
    "$bin/quirectl" token -k "$dir/keys" -s a -a b -S read -x '["a"]'
says 'another time that is none' '[-]b yesterday: not a time' \
    "$bin/quirectl" token revoke -b yesterday all
says 'a name of a key that is none' '"a b" is no key'"'"'s name' \
    "$bin/quirectl" keys add -k "$dir/keys" 'a b'
says 'nor is it for a new file' '"a b" is no key'"'"'s name' \
    "$bin/quirectl" keygen -K 'a b' "$dir/other"
says 'no place for a backup' 'nowhere/x.part: No such file' \
    "$bin/quirectl" -f "$dir/conf" backup "$dir/nowhere/x"
is 'and it says so once' "$(wc -l <"$dir/said")" 1
says 'an error of a start, with syslog' 'the port is no number up to 65535' \
    "$bin/quire-worker" -u '' -s "$dir/broker.sock" -l 127.0.0.1:web
conf 'log syslog' 'auth /nonexistent'
says 'and of a broker' 'auth /nonexistent' "$bin/quired" -f "$dir/conf"
conf
says 'nobody there' '127.0.0.1:1: Connection refused' \
    "$bin/quirectl" listen ws://127.0.0.1:1/ws/demo
says 'status without a broker' 'control.sock: no broker answers there' \
    "$bin/quirectl" -f "$dir/conf" status
finished

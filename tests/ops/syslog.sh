#!/bin/sh
# `log syslog': both daemons reach the system's log from within their sandboxes,
# a line an event, and say nothing on stderr.  In a mount namespace of its own,
# where /dev/log is the test's.
# timeout: 60
set -eu
[ "$(uname -s)" = Linux ] || { echo "only Linux has mount namespaces"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "only root may mount"; exit 77; }
unshare -m true 2>/dev/null || { echo "no mount namespace to be had"; exit 77; }
if [ -z "${SYSLOG_INSIDE:-}" ]; then
	SYSLOG_INSIDE=1 exec unshare -m "$0"
fi
bin=${QUIRE_B:-.build}
dir=$(mktemp -d)
pids=''
trap 'kill $pids 2>/dev/null || :; umount -l "$dir"/dev 2>/dev/null || :; rm -rf "$dir"' EXIT
chmod 755 "$dir"

# A /dev with little in it, over the real one.
mkdir "$dir/dev" "$dir/data"
mount -t tmpfs none "$dir/dev"
for node in null zero full random urandom; do
	: >"$dir/dev/$node"
	mount --bind "/dev/$node" "$dir/dev/$node"
done
mount --rbind "$dir/dev" /dev

cat >"$dir/quire.conf" <<END
data $dir/data
keys $dir/keys
socket $dir/broker.sock
control $dir/control.sock
user nobody
log syslog
END
"$bin/quirectl" keygen "$dir/keys"
"$bin/quirectl" keygen "$dir/others"
token=$("$bin/quirectl" token -k "$dir/others" -s eve -a demo -S read)
mkfifo "$dir/heard" "$dir/ready" "$dir/ready2"
"$bin/tests/ops/devlog" /dev/log 'login refused' >"$dir/heard" &
heard=$!
exec 4<"$dir/heard"
read -r line <&4
[ "$line" = ready ]

"$bin/quired" -f "$dir/quire.conf" -r 3 3>"$dir/ready" 2>"$dir/stderr" &
pids=$!
read -r _ <"$dir/ready"
"$bin/quire-worker" -u nobody -s "$dir/broker.sock" -l 127.0.0.1:0 -r 3 \
    3>"$dir/ready2" 2>"$dir/stderr2" &
pids="$pids $!"
read -r _ <"$dir/ready2"
port=
lines=
while [ -z "$port" ] && read -r line <&4; do
	lines="$lines
$line"
	port=$(echo "$line" | sed -n 's/.*listening on 127.0.0.1:\([0-9]*\).*/\1/p')
done
"$bin/quirectl" listen "ws://127.0.0.1:$port/ws/demo?token=$token" \
    >&2 2>&1 || :
while read -r line <&4; do
	lines="$lines
$line"
done
wait "$heard"
echo "$lines"
echo "$lines" | grep -q 'quired\[[0-9]*\]: .*ready'
echo "$lines" | grep -q 'quire-worker\[[0-9]*\]: .*listening'
echo "$lines" | grep -q 'quired.*login refused'
! echo "$lines" | grep -qF "$token" || exit 1
[ ! -s "$dir/stderr" ] && [ ! -s "$dir/stderr2" ]

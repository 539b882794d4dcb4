#!/bin/sh
# timeout: 60
# A broker that has no store yet answers quirectl at once: an empty answer is
# an answer.
set -eu
bin=${QUIRE_B:-.build}
dir=$(mktemp -d)
broker=
trap '[ -z "$broker" ] || { kill "$broker" && wait "$broker"; } || :; rm -rf "$dir"' EXIT

mkdir "$dir/data"
mkfifo "$dir/ready"
cat >"$dir/quire.conf" <<END
data $dir/data
keys $dir/keys
socket $dir/broker.sock
control $dir/control.sock
user ""
END
"$bin/quirectl" keygen "$dir/keys"
"$bin/quired" -d -f "$dir/quire.conf" -r 3 3>"$dir/ready" &
broker=$!
read -r _ <"$dir/ready"

# Shorter than quirectl's own patience, which would end in an error.
[ -z "$(timeout 20 "$bin/quirectl" -f "$dir/quire.conf" stores)" ]
[ "$(timeout 20 "$bin/quirectl" -f "$dir/quire.conf" stores -j)" = '[]' ]
timeout 20 "$bin/quirectl" -f "$dir/quire.conf" status >/dev/null

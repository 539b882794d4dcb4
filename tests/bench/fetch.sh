#!/bin/sh
# fetch.sh DIRECTORY: the servers of Debian that the relay is compared with,
# extracted there; nothing is installed and no service started.
set -eu
[ ! -e "$1/done" ] || exit 0
mkdir -p "$1/deb"
cd "$1/deb"
apt-get download -q nginx libnginx-mod-nchan nats-server 2>/dev/null ||
	{ apt-get update -q && apt-get download -q nginx libnginx-mod-nchan \
	    nats-server; } >&2
for deb in *.deb; do
	dpkg -x "$deb" ../root
done
: >../done

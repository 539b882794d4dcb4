#!/bin/sh
# The sandbox's unit test as the programs are shipped: without a sanitizer there
# is a system call filter.  A second time as an ordinary user, if we are root.
set -eu

program=$QUIRE_B/tests/unit/test_sandbox
"$program"
[ "$(id -u)" -eq 0 ] || exit 0
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
chmod 755 "$copy"
cp "$program" "$copy/test_sandbox"
setpriv --reuid=65534 --regid=65534 --clear-groups "$copy/test_sandbox"

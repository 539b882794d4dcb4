#!/bin/sh
# Calls that fail, one in each life of a broker: a sample, all with QUIRE_LONG.
# timeout: 900
B=${QUIRE_B:-$PWD/.build}
export QUIRE_B="$B"
first=$(($(date +%s) % 29 + 1))
step=29
[ -z "${QUIRE_LONG:-}" ] || first=1 step=1
for kind in EIO ENOSPC EINTR short; do
	"$B/tests/ops/faults" "$B/tests/preload/disk.so" $kind $first $step ||
	    { echo "$kind, from $first" >&2; exit 1; }
done
for kind in alloc forked; do
	[ -n "${QUIRE_LONG:-}" ] || step=$((step * 5))
	"$B/tests/ops/faults" "$B/tests/preload/disk.so" $kind $first $step ||
	    { echo "$kind, from $first" >&2; exit 1; }
done

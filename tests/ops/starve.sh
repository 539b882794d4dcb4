#!/bin/sh
# Workers without memory: a sample of their allocations fails, all in check-long.
# timeout: 300
B=${QUIRE_B:-$PWD/.build}
export QUIRE_B="$B"
step=4
first=$(($(date +%s) % step + 1))
[ -z "${QUIRE_LONG:-}" ] || first=1 step=1
exec "$B/tests/ops/starve" "$B/tests/preload/disk.so" $first $step

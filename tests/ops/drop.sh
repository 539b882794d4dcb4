#!/bin/sh
# Cuts the power while stores are deleted and compacted, again and again.
# timeout: 240
rounds=6
[ -z "${QUIRE_LONG:-}" ] || rounds=60
B=${QUIRE_B:-$PWD/.build}
export QUIRE_B="$B"
exec "$B/tests/ops/drop" $rounds "$(date +%s)" "$B/tests/preload/disk.so"

#!/bin/sh
# Cuts the power over and over: what was not synced is forgotten, in parts.
# timeout: 240
rounds=20
[ -z "${QUIRE_LONG:-}" ] || rounds=200
B=${QUIRE_B:-$PWD/.build}
exec "$B/tests/ops/killer" $rounds "$(date +%s)" "$B/tests/preload/disk.so"

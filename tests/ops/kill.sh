#!/bin/sh
# Kills the relay over and over and looks for what a client had already seen.
# timeout: 180
rounds=20
[ -z "${QUIRE_LONG:-}" ] || rounds=100
exec "${QUIRE_B:-.build}/tests/ops/killer" $rounds

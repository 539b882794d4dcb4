#!/bin/sh
# Brokers come and go below clients of every dialect, who stay.
# timeout: 240
rounds=8
[ -z "${QUIRE_LONG:-}" ] || rounds=60
exec "${QUIRE_B:-.build}/tests/ops/reattach" $rounds

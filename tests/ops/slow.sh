#!/bin/sh
# A reader that stops reading costs nobody but itself.
# timeout: 180
exec "${QUIRE_B:-.build}/tests/ops/slow" 100

#!/bin/sh
# What a worker can do to the broker and to others once it is somebody else's.
# timeout: 180
set -e
"${QUIRE_B:-.build}/tests/ops/hostile_worker"
"${QUIRE_B:-.build}/tests/ops/hostile_ring"

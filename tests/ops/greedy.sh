#!/bin/sh
# Who says more than is their turn to say is not read.
# timeout: 120
exec "${QUIRE_B:-.build}/tests/ops/greedy"

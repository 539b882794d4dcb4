#!/bin/sh
# Compaction on command, beside live traffic.
exec "${QUIRE_B:-.build}/tests/ops/compactor"

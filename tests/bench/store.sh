#!/bin/sh
# The store alone: 10,000 documents, and 1,000,000 records in one.
exec "${QUIRE_B:-.build}/tests/bench/store"

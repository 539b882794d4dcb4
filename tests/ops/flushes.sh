#!/bin/sh
# Who comes and goes and writes nothing costs no flush: of 200 connections that
# read the one patch there is, only that patch is flushed.
b=${QUIRE_B:-.build}
flushes=$("$b/tests/wire/serve" sh -c '
	LOAD_PEER=quire LOAD_PORT=$QUIRE_PORT \
	    LOAD_TARGET="/ws/demo?token=$WRITE" "$0/tests/bench/load" spawn 200 >&2 &&
	    "$0/quirectl" -f "$QUIRE_DIR/conf" status' "$b" |
    sed -n 's/^flushes //p')
echo "flushes $flushes"
[ "$flushes" -ge 1 ] && [ "$flushes" -le 3 ]

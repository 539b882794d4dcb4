#!/bin/sh
# What every dialect's connection has in common.
exec "${QUIRE_B:-.build}/tests/wire/wsplay" tests/wire/deadlines*.wire \
	tests/wire/hostile_http.wire tests/wire/proxy*.wire \
	tests/wire/ceilings.wire tests/wire/origin.wire \
	tests/wire/forgotten.wire

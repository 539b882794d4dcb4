#!/bin/sh
# secsync beside the original server, npm secsync-server 0.5, with a backend in
# memory and one in SQLite: README says how to read it.
set -eu
[ -d tests/interop/secsync/node_modules ] || {
	echo 'secsync: npm ci failed, so there is nothing to measure with'
	exit 0
}
[ -d tests/bench/secsync/node_modules ] ||
	(cd tests/bench/secsync && npm ci --no-audit --no-fund) >/dev/null 2>&1 ||
	echo 'secsync: no better-sqlite3, so no durable original'
exec node tests/bench/secsync/bench.js 2>"${QUIRE_B:-.build}/bench.log"

#!/bin/sh
# What Logseq graphs cost: transactions, pulls, a graph of a million datoms up
# and down, and what a small graph beside them notices.
set -eu
[ -f tests/interop/logseq/node_modules/.package-lock.json ] ||
	make -s tests/interop/logseq/node_modules/.package-lock.json ||
	{ echo 'logseq: no npm, no client'; exit 0; }
exec node tests/bench/logseq.js "$@"

#!/bin/sh
# The canvas dialect beside the original server, where npm can be reached.
set -eu
[ -f tests/interop/canvas/node_modules/.package-lock.json ] ||
	make -s tests/interop/canvas/node_modules/.package-lock.json ||
	{ echo 'canvas: no npm, nothing to compare with'; exit 0; }
exec node tests/bench/canvas.mjs

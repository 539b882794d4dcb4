#!/bin/sh
# timeout: 300
# The recordings of the original canvas-store server, played again; they lie
# beside the tree, and without them there is nothing to play.
vectors=${QUIRE_SHARED:-}/protocols/vectors/canvas
[ -n "${QUIRE_SHARED:-}" ] && [ -d "$vectors" ] || {
	echo 'no recordings here'
	exit 77
}
exec "${QUIRE_B:-.build}/tests/wire/canvasplay" "$vectors"/*.jsonl

#!/bin/sh
# timeout: 300
# The canvas dialect on the wire: every script canvas_*.wire, each with a relay
# of its own.
exec "${QUIRE_B:-.build}/tests/wire/wsplay" tests/wire/canvas_*.wire

#!/bin/sh
# timeout: 300
# The secsync dialect on the wire: every script secsync_*.wire, each with a relay
# of its own.
exec "${QUIRE_B:-.build}/tests/wire/wsplay" tests/wire/secsync_*.wire

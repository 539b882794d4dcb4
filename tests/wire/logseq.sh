#!/bin/sh
# timeout: 300
# The logseq dialect on the wire: every script logseq_*.wire, each with a relay
# of its own.
exec "${QUIRE_B:-.build}/tests/wire/wsplay" tests/wire/logseq_*.wire

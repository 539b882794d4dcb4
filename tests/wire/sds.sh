#!/bin/sh
# timeout: 300
# The sds dialect on the wire: every script sds_*.wire, each with a relay of its
# own.
exec "${QUIRE_B:-.build}/tests/wire/wsplay" tests/wire/sds_*.wire

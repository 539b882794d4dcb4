#!/bin/sh
# timeout: 300
# Brokers that come and go below connections that stay, dialect by dialect: every
# script reattach_*.wire, each with a relay of its own.
exec "${QUIRE_B:-.build}/tests/wire/wsplay" tests/wire/reattach_*.wire

#!/bin/sh
# timeout: 300
# RFC 6455 to the letter, against the dialect that sends all back: the cases of
# the Autobahn suite's sections 1 to 7, and what sections 9 and 10 are about.
exec "${QUIRE_B:-.build}/tests/wire/wsplay" tests/wire/echo_*.wire

#!/bin/sh
# A client of the sds protocol, written from its description, against the relay.
# timeout: 300
exec node --test-reporter=tap tests/interop/sds/run.js

#!/bin/sh
# The npm client secsync 0.5 against the relay.
# timeout: 180
exec node --test-reporter=tap tests/interop/secsync/run.js

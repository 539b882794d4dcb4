#!/bin/sh
# The logseq engine against npm datascript and transit-js.
# timeout: 180
exec node --test --test-reporter=tap tests/interop/logseq/*.test.js

#!/bin/sh
# The npm client @woven-ecs/canvas-store 2.0 against the relay.
# timeout: 300
exec node --test-reporter=tap tests/interop/canvas/run.mjs

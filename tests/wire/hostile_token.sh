#!/bin/sh
# Made-up tokens through the real listener.
exec "${QUIRE_B:-.build}/tests/wire/hostile_token"

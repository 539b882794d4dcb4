#!/bin/sh
# What the relay costs on this machine: deliveries a second and the CPU of each
# (broker, workers and load generator apart), durable commits beside the raw
# fdatasync rate of the same disk, connections a second, memory of an idle one.
# One line a measurement; README says how to read them.
settings='connections_max 20000
per_address_max 20000
sessions_max 20000
sessions_per_store_max 20000
sessions_per_subject_max 20000'
. "${QUIRE_TOP:-.}/tests/lib/server.sh"
set -eu
load=$QUIRE_B/tests/bench/load
QUIRE_TARGET="/ws/demo?token=$WRITE"
export QUIRE_TARGET

for receivers in 10 100 1000; do
	"$load" fanout "$receivers" 1 $((20000 / receivers + 50)) 100
	"$load" fanout "$receivers" 16 $((200000 / receivers + 100)) 100
done
"$load" fanout 1000 16 200 4096
for writers in 1 8 64; do
	"$load" commit "$writers" $((writers * 300 + 700))
done
"$load" spawn 1000
"$load" idle 1000

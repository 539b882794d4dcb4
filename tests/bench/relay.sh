#!/bin/sh
# What the relay costs on this machine: deliveries a second and the CPU of each
# (broker, workers and load generator apart), durable commits beside the raw
# fdatasync rate of the same disk, connections a second, memory of an idle one.
# One line a measurement, each with a relay of its own, so that none replays
# what another stored; README says how to read them.
set -eu
b=${QUIRE_B:-.build}

measure() {
	"$b/tests/wire/serve" -s 'sessions_max 20000' \
	    -s 'sessions_per_store_max 20000' \
	    -s 'sessions_per_subject_max 20000' \
	    sh -c 'QUIRE_TARGET="/ws/demo?token=$WRITE" exec "$0" "$@"' \
	    "$b/tests/bench/load" "$@" 2>"$b/bench.log" ||
	    { cat "$b/bench.log"; exit 1; }
}

for receivers in 10 100 1000; do
	measure fanout "$receivers" 1 $((20000 / receivers + 50)) 100
	measure fanout "$receivers" 16 $((200000 / receivers + 100)) 100
done
measure fanout 1000 16 200 4096
for writers in 1 8 64; do
	measure commit "$writers" $((writers * 300 + 700))
done
measure spawn 1000
measure idle 1000

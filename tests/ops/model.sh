#!/bin/sh
# Random clients against the broker and a model of what it keeps; every second
# run with allocations that fail.  In check always the same runs, in check-long
# new ones each time.  MODEL_SEED=n: that one alone.
# timeout: 900
B=${QUIRE_B:-$PWD/.build}
export QUIRE_B="$B"
runs=2 steps=150
seed=2
[ -z "${QUIRE_LONG:-}" ] || runs=40 steps=500 seed=$(date +%s)
seed=${MODEL_SEED:-$seed}
[ -z "${MODEL_SEED:-}" ] || runs=1
while [ $runs -gt 0 ]; do
	set -- "$seed" $steps
	[ $((seed % 2)) -eq 0 ] || set -- "$@" "$B/tests/preload/disk.so"
	"$B/tests/ops/model" "$@" || {
		echo "again with MODEL_SEED=$seed $0" >&2
		exit 1
	}
	seed=$((seed + 1)) runs=$((runs - 1))
done

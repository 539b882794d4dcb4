#!/bin/sh
# What a process for each connection costs, and what its sandbox adds: spawns a
# second with and without, and the memory of an idle connection with everything
# counted, beside websocketd (which starts a program for each) and the node
# library ws (which starts none).  README says how to read the lines.
set -eu
b=${QUIRE_B:-.build}
load=$b/tests/bench/load
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || { kill "$pid" && wait "$pid"; }; rm -rf "$dir"
    [ -z "$group" ] || rmdir "$group"' EXIT

# A control group that the servers' memory is charged to, the kernel's share
# included; without one the fall of MemAvailable must do, which is noisy.
group=
memory_group()
{
	v1=$(sed -n 's/^[0-9]*:memory:/\/sys\/fs\/cgroup\/memory/p' \
	    /proc/self/cgroup)
	v2=$(sed -n 's/^0::/\/sys\/fs\/cgroup/p' /proc/self/cgroup)
	for g in "$v1" "$v2"; do
		[ -n "$g" ] && mkdir "$g/quire-bench.$$" 2>/dev/null || continue
		group=$g/quire-bench.$$
		for use in memory.usage_in_bytes memory.current; do
			[ -e "$group/$use" ] || continue
			QUIRE_MEMORY=$group/$use
			QUIRE_GROUP=$group/cgroup.procs
			export QUIRE_MEMORY QUIRE_GROUP
			return
		done
		rmdir "$group"
		group=
	done
}
memory_group
# Process ids into that group.
QUIRE_MOVE='for p in $QUIRE_LISTENER $QUIRE_BROKER; do
	[ -z "${QUIRE_GROUP:-}" ] || echo "$p" >"$QUIRE_GROUP"
done'

# ours LEVEL: both measurements against a relay of its own, into a file.
ours()
{
	for what in 'spawn 2000' 'idle 1000'; do
		QUIRE_SANDBOX=$1 "$b/tests/wire/serve" -s 'sessions_max 20000' \
		    -s 'sessions_per_store_max 20000' \
		    -s 'sessions_per_subject_max 20000' \
		    sh -c "$QUIRE_MOVE"'
			QUIRE_TARGET="/ws/demo?token=$WRITE" exec "$0" "$@"' \
		    "$load" $what 2>"$dir/log" ||
		    { cat "$dir/log"; exit 1; }
	done >"$dir/quire-$1"
}

# other NAME COMMAND ...: the same against somebody else's server on $port.
other()
{
	name=$1
	shift
	"$@" >"$dir/log" 2>&1 &
	pid=$!
	i=0
	until node -e "require('net').connect($port, '127.0.0.1')
	    .on('connect', () => process.exit(0))
	    .on('error', () => process.exit(1))"; do
		i=$((i + 1))
		[ $i -lt 100 ] || { cat "$dir/log"; exit 1; }
		sleep 0.1
	done
	QUIRE_LISTENER=$pid QUIRE_BROKER='' sh -c "$QUIRE_MOVE"
	for what in 'spawn 2000' 'greeted 1000'; do
		# There is no broker: this shell's memory does not change.
		QUIRE_PORT=$port QUIRE_LISTENER=$pid QUIRE_BROKER=$$ \
		    QUIRE_TARGET=/ "$load" $what
	done >"$dir/$name"
	kill "$pid"
	wait "$pid" 2>/dev/null || :
	pid=
}

# value NAME FIELD
value()
{
	tr ' ' '\n' <"$dir/$1" | sed -n "s/^$2=//p"
}

line()
{
	echo "$1 spawns_per_s=$(value "$1" per_s)" \
	    "worker_kib=$(value "$1" worker_kib)" \
	    "broker_kib=$(value "$1" broker_kib)" \
	    "system_kib=$(value "$1" system_kib)"
}

ratio()
{
	awk -v name="$1" -v a="$2" -v b="$3" \
	    'BEGIN { if (b > 0) printf "%s=%.2f\n", name, a / b }'
}

ours require
ours off
line quire-require
line quire-off
ratio sandbox_spawn_ratio "$(value quire-require per_s)" \
    "$(value quire-off per_s)"
ratio sandbox_memory_ratio "$(value quire-require system_kib)" \
    "$(value quire-off system_kib)"
port=$((30000 + $$ % 10000))
if command -v websocketd >/dev/null; then
	other websocketd websocketd --port="$port" --address=127.0.0.1 \
	    --loglevel=error sh -c 'echo; exec cat'
	line websocketd
fi
port=$((port + 1))
NODE_PATH=${NODE_PATH:-/usr/share/nodejs}
export NODE_PATH
if node -e 'require("ws")' 2>/dev/null; then
	other node-ws node -e "new (require('ws').WebSocketServer)({
	    host: '127.0.0.1', port: $port }).on('connection',
	    s => s.send(''))"
	line node-ws
fi
for name in websocketd node-ws; do
	[ -e "$dir/$name" ] || { echo "$name is not installed"; continue; }
	ratio "spawn_ratio_to_$name" "$(value quire-require per_s)" \
	    "$(value "$name" per_s)"
	ratio "memory_ratio_to_$name" "$(value quire-require system_kib)" \
	    "$(value "$name" system_kib)"
done

#!/bin/sh
# The walls as they stand around live processes: what /proc says of a broker, a
# listener and a worker with a client, started as root and as an ordinary user,
# against what the manuals promise; and quirectl sandbox, which tries them.
# timeout: 120
set -u
. tests/lib/tap.sh

top=$(pwd)
bin=$(cd "${QUIRE_B:-.build}" && pwd)
dir=$(mktemp -d)
broker='' listener='' client=''

# like NAME FOUND PATTERN
like()
{
	# shellcheck disable=SC2254 # a pattern is meant
	case $2 in
	$3)	ok 0 "$1" ;;
	*)	ok 1 "$1"; echo "# found '$2', not '$3'" ;;
	esac
}

finish()
{
	for p in "$client" "$listener" "$broker"; do
		[ -z "$p" ] || { kill "$p" && wait "$p"; } 2>/dev/null
	done
	client='' listener='' broker=''
}
trap 'finish; rm -rf "$dir"' EXIT

# The programs where an ordinary user can get at them.
mkdir "$dir/bin"
cp "$bin/quired" "$bin/quire-worker" "$bin/quirectl" "$dir/bin"
chmod -R a+rX "$dir"
bin=$dir/bin
PATH=$bin:$PATH

# as WHO COMMAND: in the background, what it is about in $!
as()
{
	who=$1
	shift
	if [ "$who" = root ]; then
		# What a careless starter leaves: groups, and a file.
		exec setpriv --groups 4,24 "$@" 9</etc/passwd
	elif [ "$(id -u)" -eq 0 ]; then
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
	exec "$@"
}

# relay WHO USER LEVEL: all three, and a client that has been served.
relay()
{
	here=$dir/$1.$3
	mkdir -p "$here/data"
	cat >"$here/conf" <<-END
	data $here/data
	keys $here/keys
	socket $here/broker.sock
	control $here/control.sock
	user $2
	worker_user $2
	sandbox $3
	END
	quirectl keygen "$here/keys"
	token=$(quirectl token -k "$here/keys" -s me -a demo -S write -t 1h)
	mkfifo "$here/broker.up" "$here/worker.up" "$here/lines"
	if [ "$(id -u)" -eq 0 ] && [ "$1" != root ]; then
		chown -R 65534:65534 "$here"
	fi
	chmod 711 "$here"
	(as "$1" quired -d -f "$here/conf" -r 3 3>"$here/broker.up" \
	    2>"$here/broker.log") &
	broker=$!
	read -r _ <"$here/broker.up"
	port=$((20000 + $$ % 10000))
	(as "$1" quire-worker -d -s "$here/broker.sock" -u "$2" -S "$3" \
	    -l "127.0.0.1:$port" -r 3 3>"$here/worker.up" \
	    2>"$here/worker.log") &
	listener=$!
	read -r _ <"$here/worker.up"
	url="ws://127.0.0.1:$port/ws/demo?token=$token"
	quirectl send "$url" hello
	quirectl listen "$url" >"$here/lines" 2>"$here/client.log" &
	client=$!
	read -r line <"$here/lines"
	like "$1, $3: a client is served" "$line" '*hello*'
	keeper=$(awk '{ print $1 }' "/proc/$listener/task/$listener/children")
	worker=$(awk '{ print $NF }' \
	    "/proc/$listener/task/$listener/children")
}

# A line of /proc/PID/status without its name and tabs.
status()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' ' |
	    sed 's/ *$//'
}

limit()
{
	sed -n "s/^$2  *[^ ]*  *\([^ ]*\).*/\1/p" "/proc/$1/limits"
}

# What every process gives up, whoever started it.
confined()
{
	is "$2: no new privileges" "$(status "$1" NoNewPrivs)" 1
	is "$2: a filter" "$(status "$1" Seccomp)" 2
	is "$2: no capability" "$(status "$1" CapEff)" 0000000000000000
	is "$2: its user" "$(status "$1" Uid)" '65534 65534 65534 65534'
	is "$2: no group but that" "$(status "$1" Groups)" ''
	is "$2: no core" "$(limit "$1" 'Max core file size')" 0
	is "$2: it cannot be dumped" "$(stat -c %u "/proc/$1/mem")" 0
}

# Descriptors by what they are, their numbers aside.
descriptors()
{
	for f in "/proc/$1/fd"/*; do
		readlink "$f"
	done | sed "s/:\[.*//; s/ (deleted)//; s,.*/,,; s/\.0*[0-9]*$//" |
	    sort | uniq -c | awk '{ printf "%s%s %s", s, $1, $2; s = ", " }'
}

# The opener: root, but of root's rights that to read.
readonly_root()
{
	is 'opener: no new privileges' "$(status "$1" NoNewPrivs)" 1
	is 'opener: a filter' "$(status "$1" Seccomp)" 2
	is 'opener: it may read' "$(status "$1" CapEff)" 0000000000000004
	is 'opener: and never more' "$(status "$1" CapPrm)" 0000000000000004
	is 'opener: no core' "$(limit "$1" 'Max core file size')" 0
	is 'opener: no process' "$(limit "$1" 'Max processes')" 0
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
	ok $? 'opener: another network'
	descriptors "$1" | grep -qE 'passwd|lock|db|keys|[2-9] socket'
	is 'opener: broker, and nothing that a starter left' $? 1
}

started_as_root()
{
	relay root nobody require
	confined "$broker" broker
	is 'broker: its root is the data directory' \
	    "$(readlink "/proc/$broker/root")" "$here/data"
	is 'broker: every thread has the filter' \
	    "$(grep -h '^Seccomp:' "/proc/$broker/task/"*/status |
		sort -u | tr -d '\t')" Seccomp:2
	[ "$(find "/proc/$broker/task" -mindepth 1 -maxdepth 1 | wc -l)" -gt 1 ]
	ok $? 'broker: there are threads'
	descriptors "$broker" | grep -q passwd
	is 'broker: nothing that its starter left open' $? 1

	read -r fanout opener <"/proc/$broker/task/$broker/children"
	confined "$fanout" fan-out
	like 'fan-out: its root is gone' \
	    "$(readlink "/proc/$fanout/root")" '*(deleted)'
	descriptors "$fanout" | grep -qE 'passwd|lock|db|keys'
	is 'fan-out: neither store nor key, nor what a starter left' $? 1

	readonly_root "${opener% }"

	confined "$listener" listener
	like 'listener: its root is gone' \
	    "$(readlink "/proc/$listener/root")" '*(deleted)'
	descriptors "$listener" | grep -q passwd
	is 'listener: nothing that its starter left open' $? 1

	confined "$keeper" keeper
	like 'keeper: its root is gone' \
	    "$(readlink "/proc/$keeper/root")" '*(deleted)'
	is 'keeper: listener, broker, a link and log' \
	    "$(descriptors "$keeper")" '2 null, 3 socket, 1 worker.log'
	confined "$worker" worker
	like 'worker: its root is gone' \
	    "$(readlink "/proc/$worker/root")" '*(deleted)'
	is 'worker: it is nowhere else' "$(readlink "/proc/$worker/cwd")" \
	    "$(readlink "/proc/$worker/root")"
	is 'worker: two filters, its own and the listener'"'s" \
	    "$(status "$worker" Seccomp_filters)" 2
	[ "$(readlink "/proc/$worker/ns/net")" != \
	    "$(readlink /proc/self/ns/net)" ]
	ok $? 'worker: another network'
	is 'worker: client, broker, poller, bell and log' \
	    "$(descriptors "$worker")" \
	    '1 anon_inode, 2 null, 3 socket, 1 worker.log'
	is 'worker: no process' "$(limit "$worker" 'Max processes')" 0
	# As many may be under way from all workers: lane_flight_max.
	# shellcheck disable=SC3045 # every sh of ours has it
	files=$(ulimit -Hn)
	[ "$files" != unlimited ] && [ "$files" -lt 16384 ] || files=16384
	is 'worker: descriptors' "$(limit "$worker" 'Max open files')" "$files"
	is 'worker: memory' "$(limit "$worker" 'Max data size')" \
	    $((64 * 1024 * 1024 + 4 * 100 * 1024 * 1024))
	finish
}

# As inetd starts it: one process, all the layers but a network of its own.
started_by_inetd()
{
	here=$dir/root.require
	(as root quired -d -f "$here/conf" -r 3 3>"$here/broker.up" \
	    2>"$here/broker.log") &
	broker=$!
	read -r _ <"$here/broker.up"
	port=$((20000 + $$ % 10000))
	mkfifo "$here/inetd.up"
	# shellcheck disable=SC2016 # perl's own
	perl -MIO::Socket::INET -e '
		my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
		    LocalPort => $ARGV[0], Listen => 1, ReuseAddr => 1) or die;
		open(my $up, ">", $ARGV[1]) or die;
		print $up "\n";
		close($up);
		my $c = $l->accept;
		open(STDIN, "<&", $c) and open(STDOUT, ">&", $c) or die;
		exec(@ARGV[2 .. $#ARGV]);' "$port" "$here/inetd.up" \
	    quire-worker -d -u nobody -S require -s "$here/broker.sock" \
	    2>"$here/inetd.log" &
	listener=$!
	read -r _ <"$here/inetd.up"
	quirectl listen "$url" >"$here/lines" 2>"$here/client.log" &
	client=$!
	read -r line <"$here/lines"
	like 'inetd: a client is served' "$line" '*hello*'
	confined "$listener" "inetd's worker"
	like "inetd's worker: its root is gone" \
	    "$(readlink "/proc/$listener/root")" '*(deleted)'
	is "inetd's worker: client, broker, poller, bell and log" \
	    "$(descriptors "$listener")" \
	    '1 anon_inode, 1 inetd.log, 2 null, 3 socket'
	finish
}

# Whatever user namespaces and kernel leave to an ordinary user.
started_by_a_user()
{
	relay user '""' best-effort
	for p in "broker $broker" "listener $listener" "worker $worker"; do
		is "user's ${p% *}: no new privileges" \
		    "$(status "${p#* }" NoNewPrivs)" 1
		is "user's ${p% *}: a filter" "$(status "${p#* }" Seccomp)" 2
		is "user's ${p% *}: no capability" \
		    "$(status "${p#* }" CapEff)" 0000000000000000
	done
	is 'one line says what stands, or what is missing' \
	    "$(grep -hc 'sandbox: ' "$here/broker.log" "$here/worker.log" |
		tr '\n' ' ')" '1 1 '
	finish
}

# The figures above can be otherwise.
switched_off()
{
	relay user '""' off
	is 'off: no filter' "$(status "$worker" Seccomp)" 0
	finish
}

refused()
{
	quired -d -D user=no-such-user -D "data=$here/data" \
	    -D "keys=$here/keys" 2>"$dir/log"
	is 'a user who is not there ends the broker' $? 67
	like '... and is named' "$(cat "$dir/log")" '*user no-such-user*'
	quire-worker -d -u no-such-user -l 127.0.0.1:0 2>"$dir/log"
	is 'a user who is not there ends the listener' $? 67
	quire-worker -d -u nobody -S require -t /nonexistent \
	    -s "$here/broker.sock" -l 127.0.0.1:0 2>"$dir/log"
	is 'a listener without a layer that is required ends' $? 71
	like '... and names it' "$(cat "$dir/log")" '*without chroot*'
}

# From within: every attempt is stopped, and without a sandbox it is not.
tried()
{
	for role in worker listener keeper broker fan-out opener; do
		quirectl -f "$dir/$1/conf" sandbox "$role" >"$dir/table"
		is "$1: what a $role tries is stopped" $? 0
		[ "$(wc -l <"$dir/table")" -gt 28 ]
		ok $? "$1: ... and that is more than a few things"
		grep ALLOWED "$dir/table" | sed 's/^/# /'
	done
}

cd "$dir" || exit 1
if [ "$(id -u)" -eq 0 ]; then
	started_as_root
	started_by_inetd
	tried root.require
	refused
fi
started_by_a_user
switched_off
quirectl -f "$dir/user.off/conf" sandbox >"$dir/table"
is 'off: something comes through' $? 70
cd "$top" || exit 1
finished

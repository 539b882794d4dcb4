#!/bin/sh
# Sockets that somebody else made: those of LISTEN_FDS, the one of inetd's
# "wait", and a client of Accept=yes, each passed by systemd's own tool; and
# readiness, told to a NOTIFY_SOCKET.
# timeout: 60
set -u
. tests/lib/server.sh
. tests/lib/tap.sh

port=$((21000 + $$ % 9000))
log=$QUIRE_DIR/activate.log
helper=
trap '[ -z "$helper" ] || kill "$helper"; rm -f "$QUIRE_DIR/notify"' EXIT

# Root has a user to become; whoever else stays.
user=nobody
[ "$(id -u)" -eq 0 ] || user=''

listening() { grep -q "^Listening on" "$log"; }

# activated [OPTION ...]: a worker behind systemd-socket-activate.
activated()
{
	port=$((port + 1))
	: >"$log" # of the one before
	systemd-socket-activate -l "127.0.0.1:$port" "$@" \
	    "$QUIRE_B/quire-worker" -dv -u "$user" \
	    -s "$QUIRE_DIR/broker.sock" 2>"$log" &
	helper=$!
	soon listening
	ok $? "$*: the socket is there"
	url=ws://127.0.0.1:$port/ws/demo
	timeout 20 "$QUIRE_B/quirectl" send "$url?token=$WRITE" hello
	ok $? "$*: a client is served"
}

stopped()
{
	kill "$helper"
	wait "$helper"
	status=$?
	helper=
}

passed_by_systemd()
{
	activated -E NOTHING=1
	has 'LISTEN_FDS: the socket is taken' "$log" 'listening on 1 inherited'
	stopped
	is 'LISTEN_FDS: a stop in order' $status 0

	activated --accept --inetd
	soon grep -q 'died with code 0' "$log"
	ok $? 'Accept=yes: the process ends with its client'
	stopped

	activated --accept --inetd -E TCPREMOTEIP=192.0.2.7
	timeout 20 "$QUIRE_B/quirectl" send "${url%/ws*}/no//where" x \
	    2>"$QUIRE_DIR/refused"
	soon grep -q '192\.0\.2\.7: ' "$log"
	ok $? 'TCPREMOTEIP: whoever accepted knows the address better'
	stopped
}

# What is not for us, or is not what it says.
refused()
{
	LISTEN_PID=1 LISTEN_FDS=1 "$QUIRE_B/quire-worker" -d -u "$user" \
	    </dev/null 2>"$log"
	is "another process's LISTEN_FDS does not count" $? 64
	has '... so that there is no client' "$log" 'descriptor 0 is no socket'
	# shellcheck disable=SC2016 # the inner shell's own
	sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"' sh \
	    "$QUIRE_B/quire-worker" -d -u "$user" 3</dev/null 2>"$log"
	is 'a file does not listen' $? 64
	has '... and is named' "$log" 'descriptor 3 does not listen'
	# shellcheck disable=SC2016
	sh -c 'LISTEN_PID=$$ LISTEN_FDS=17 exec "$@"' sh \
	    "$QUIRE_B/quire-worker" -d -u "$user" 2>"$log"
	is 'more than there is room for are refused' $? 64
}

# perl COMMAND: the socket that listens on descriptor 0.
waited_for()
{
	port=$((port + 1))
	# shellcheck disable=SC2016 # perl's own
	NOTIFY_SOCKET=/nonexistent perl -MIO::Socket::INET -e '
		my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
		    LocalPort => $ARGV[0], Listen => 9, ReuseAddr => 1) or die;
		open(STDIN, "<&", $l) or die;
		exec(@ARGV[1 .. $#ARGV]);' "$port" \
	    "$QUIRE_B/quire-worker" -d -u "$user" -r 3 \
	    -s "$QUIRE_DIR/broker.sock" 2>"$log" 3>"$QUIRE_DIR/up" &
	helper=$!
	read -r _ <"$QUIRE_DIR/up"
	ok $? 'wait: it says that it is ready, though one way does not exist'
	has '... and says so' "$log" 'NOTIFY_SOCKET: No such file'
	timeout 20 "$QUIRE_B/quirectl" send \
	    "ws://127.0.0.1:$port/ws/demo?token=$WRITE" hello
	ok $? 'wait: a client is served'
	stopped
	is 'wait: a stop in order' $status 0
}

# Whoever comes through one is this machine's, and stands for many.
by_unix_socket()
{
	# shellcheck disable=SC2016 # perl's own
	perl -MIO::Socket::UNIX -e '
		my $l = IO::Socket::UNIX->new(Local => $ARGV[0],
		    Listen => 9) or die;
		open(STDIN, "<&", $l) or die;
		exec(@ARGV[1 .. $#ARGV]);' "$QUIRE_DIR/front" \
	    "$QUIRE_B/quire-worker" -d -u "$user" -M 1 -r 3 \
	    -s "$QUIRE_DIR/broker.sock" 2>"$log" 3>"$QUIRE_DIR/up" &
	helper=$!
	read -r _ <"$QUIRE_DIR/up"
	# shellcheck disable=SC2016
	timeout 20 perl -MIO::Socket::UNIX -e '
		my @all;
		for (1 .. 3) {
			my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
			print $s "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
			print scalar(<$s>);
			push(@all, $s);
		}' "$QUIRE_DIR/front" | tr -d '\r' >"$QUIRE_DIR/got"
	is 'a Unix socket: clients are answered' "$(cat "$QUIRE_DIR/got")" \
	    "$(printf 'HTTP/1.1 200 OK\n%.0s' 1 2 3)"
	grep -q refused "$log"
	is '... and no ceiling of one address is theirs' $? 1
	stopped
	rm "$QUIRE_DIR/front"
}

# told NAME SOCKET COMMAND: what comes to the socket, and from whom.
told()
{
	what=$1
	shift
	# shellcheck disable=SC2016 # perl's own
	timeout 20 perl -MSocket -e '
		my $name = shift;
		socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die;
		(my $path = $name) =~ s/^@/\0/;
		bind($s, pack_sockaddr_un($path)) or die "bind: $!";
		my $pid = fork();
		if ($pid == 0) {
			$ENV{NOTIFY_SOCKET} = $name;
			exec(@ARGV);
		}
		recv($s, my $word, 100, 0);
		print $word;
		kill(15, $pid);
		waitpid($pid, 0);
		print "status $?\n";' "$@" >"$QUIRE_DIR/told" 2>"$log"
	is "$what" "$(cat "$QUIRE_DIR/told")" 'READY=1
status 0'
}

ready()
{
	mkdir "$QUIRE_DIR/other"
	"$QUIRE_B/quirectl" keygen "$QUIRE_DIR/other.keys"
	for name in "$QUIRE_DIR/notify" "@quire.$$"; do
		told "NOTIFY_SOCKET ${name%%[/q]*}: the broker is ready" \
		    "$name" "$QUIRE_B/quired" -d -f /dev/null \
		    -D "user=$user" -D "data=$QUIRE_DIR/other" \
		    -D "keys=$QUIRE_DIR/other.keys" \
		    -D "socket=$QUIRE_DIR/other.sock" \
		    -D "control=$QUIRE_DIR/other.control"
	done
	told 'NOTIFY_SOCKET: the listener is ready' "@quire.$$" \
	    "$QUIRE_B/quire-worker" -d -u "$user" -l 127.0.0.1:0 \
	    -s "$QUIRE_DIR/broker.sock"
}

mkfifo "$QUIRE_DIR/up"
# Unpacked by etc/unpack.sh, if it is not installed.
if ! command -v systemd-socket-activate >/dev/null; then
	PATH=$PATH:$QUIRE_B/unpacked/usr/bin
	LD_LIBRARY_PATH=$(echo "$QUIRE_B"/unpacked/usr/lib/*-linux-gnu*/systemd)
	export PATH LD_LIBRARY_PATH
fi
if command -v systemd-socket-activate >/dev/null; then
	passed_by_systemd
else
	skip 'sockets passed by systemd' 'no systemd-socket-activate'
fi
refused
waited_for
by_unix_socket
ready
finished

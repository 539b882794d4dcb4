# private.sh, sourced at a test's beginning: the rest of it runs as root of a
# machine of its own, with processes, mounts and a network that end with it.
# Quire is installed there by `make install', so that what supervisors start is
# what is shipped, at the places where it is shipped to; there are its users,
# its keys, and in $READ and $WRITE tokens for the store demo.
# shellcheck shell=sh
QUIRE_TOP=${QUIRE_TOP:-$PWD}
QUIRE_B=${QUIRE_B:-$QUIRE_TOP/.build}
URL=ws://127.0.0.1:3000/ws/demo
. tests/lib/tap.sh

# The installed files, and copies of what the rest writes to.
private_prepare()
{
	B=$QUIRE_B SYSTEM=linux DESTDIR=$QUIRE_PRIVATE/root PREFIX=/usr/local \
	    SYSCONFDIR=/etc etc/install.sh install
	cp -a /etc "$QUIRE_PRIVATE/etc"
	cp -a "$QUIRE_PRIVATE/root/etc/." "$QUIRE_PRIVATE/etc"
	mkdir "$QUIRE_PRIVATE/dev" "$QUIRE_PRIVATE/dev/shm" \
	    "$QUIRE_PRIVATE/dev/pts"
	for f in null zero full random urandom tty fd stdin stdout stderr; do
		cp -a "/dev/$f" "$QUIRE_PRIVATE/dev"
	done
	ln -s pts/ptmx "$QUIRE_PRIVATE/dev/ptmx"
}

# Within: what was prepared takes the place of the machine's own, and what
# etc/unpack.sh has brought joins it.
private_enter()
{
	mount --bind "$QUIRE_PRIVATE/etc" /etc
	for d in usr usr/lib usr/sbin; do
		over=$QUIRE_B/unpacked/${d#usr/}
		[ ! -d "$over" ] || mount -t overlay overlay \
		    -o "lowerdir=$over:/$d" "/$d" || :
	done
	mount --bind "$QUIRE_PRIVATE/root/usr/local" /usr/local
	mount --bind "$QUIRE_PRIVATE/dev" /dev
	mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts
	for d in /run /var/lib /var/log /dev/shm; do
		mount -t tmpfs tmpfs $d
	done
	# lo goes up, with or without ip(8).
	# shellcheck disable=SC2016 # perl's own
	perl -e 'my $lo = pack("a16 s x14", "lo", 0x41);
	    socket(S, 2, 2, 0) && ioctl(S, 0x8914, $lo) or die "lo: $!\n"'
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers /usr/local/lib/sysusers.d/quire.conf
	else
		printf '%s:x:%s:%s::/:/bin/false\n' _quired 901 901 \
		    _quirew 902 902 >>/etc/passwd
		printf '%s:x:%s:\n' _quired 901 _quirew 902 >>/etc/group
	fi 2>/dev/null
	quirectl keygen /etc/quire/keys
	quirectl keygen /etc/quire/others
}

# program NAME: 0 if it can be started, 1 after saying that it is skipped.
program()
{
	command -v "$1" >/dev/null && return 0
	skip "$1" "there is no $1; etc/unpack.sh brings it"
	return 1
}

# syslog_start FILE: what comes to /dev/log, a line each.
syslog_start()
{
	# shellcheck disable=SC2016 # perl's own
	perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0) or die;
	    unlink("/dev/log"); bind(S, pack_sockaddr_un("/dev/log")) or die;
	    chmod(0666, "/dev/log"); $| = 1; open(STDOUT, ">", shift) or die;
	    while (defined(recv(S, my $m, 9000, 0))) { print "$m\n" }' "$1" &
	syslog=$!
	soon test -S /dev/log
}

syslog_stop()
{
	kill "$syslog"
	wait "$syslog" 2>/dev/null
	rm /dev/log
}

# Processes of quire's, zombies apart: their commands, a blank between.
quires()
{
	for p in /proc/[0-9]*; do
		read -r _ comm state _ 2>/dev/null <"$p/stat" || continue
		case $comm in
		'(quired)'|'(quire-worker)')
			[ "$state" = Z ] || printf '%s ' "$comm" ;;
		esac
	done
}

none_left() { [ -z "$(quires)" ]; }
answers() { quirectl status >/dev/null 2>&1; }
open_port() { perl -MIO::Socket::INET -e 'exit(!IO::Socket::INET->new(
    PeerAddr => "127.0.0.1", PeerPort => 3000))'; }

# served WHO LOG: a message goes from one client to another, and a client with
# a token by another key is in the broker's log with its address.
served()
{
	sent=$(date +%s%N)
	before=$(refusals "$2")
	timeout 20 quirectl send "$URL?token=$WRITE" "$sent"
	is "$1: a client is served" $? 0
	: >"$QUIRE_PRIVATE/heard"
	timeout 20 quirectl listen "$URL?token=$READ" >"$QUIRE_PRIVATE/heard" &
	soon grep -q "$sent" "$QUIRE_PRIVATE/heard"
	is "$1: another reads it" $? 0
	kill $!
	wait $! 2>/dev/null
	timeout 20 quirectl send "$URL?token=$NOBODY" no 2>/dev/null
	is "$1: one with a token by another key is not" $? 77
	soon one_more "$2"
	is "$1: its address is known" $? 0
}

refusals() { grep -ac 'login refused peer=127\.0\.0\.1 ' "$1"; }
one_more() { [ "$(refusals "$1")" -gt "$before" ]; }

# clean WHO: nobody runs any more.
clean()
{
	soon none_left
	is "$1: nobody is left" "$(quires)" ''
}

# The broker for supervisors that start workers only.
broker_start()
{
	mkdir -p /run/quire /var/lib/quire
	mkfifo "$QUIRE_PRIVATE/ready"
	quired -d -r 3 3>"$QUIRE_PRIVATE/ready" 2>"$1" &
	broker=$!
	read -r _ <"$QUIRE_PRIVATE/ready"
	rm "$QUIRE_PRIVATE/ready"
}

broker_stop()
{
	kill "$broker"
	wait "$broker"
	is 'the broker ends well' $? 0
}

if [ -z "${QUIRE_PRIVATE:-}" ]; then
	if ! unshare -mnipuf --mount-proc true 2>/dev/null; then
		echo 'only root can have a machine of its own'
		exit 77
	fi
	QUIRE_PRIVATE=$(mktemp -d)
	export QUIRE_PRIVATE QUIRE_TOP QUIRE_B
	trap 'rm -rf "$QUIRE_PRIVATE"' EXIT
	trap 'exit 1' TERM INT HUP
	chmod 755 "$QUIRE_PRIVATE"
	(set -e; private_prepare) &&
	    unshare -mnipuf --mount-proc --kill-child "$0" "$@"
	exit
fi
PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
(set -e; private_enter) || exit 1
READ=$(quirectl token -k /etc/quire/keys -s r -a demo -S read -t 1h)
WRITE=$(quirectl token -k /etc/quire/keys -s w -a demo -S write -t 1h)
NOBODY=$(quirectl token -k /etc/quire/others -s n -a demo -S read -t 1h)

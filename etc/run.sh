#!/bin/sh
# run.sh, called by `make run`: a relay on 127.0.0.1 to try things with, its
# state in ./.run.  Environment: B, where the programs are; PORT.  Ctrl-C ends
# it; the stores and the key stay for the next time.
set -eu
cd "$(dirname "$0")/.."
umask 077

bin=${B:-.build}
port=${PORT:-3000}
state=$PWD/.run
broker='' listener=''

say() { printf '%s\n' "$*"; }

# Asks a process to end and waits until it has.
stop()
{
	[ -z "$1" ] || { kill -TERM "$1" && wait "$1"; } 2>/dev/null || :
}

# The listener first: its clients are told, then the broker flushes.
finish()
{
	status=$?
	trap '' INT TERM HUP
	stop "$listener"
	stop "$broker"
	rm -f "$state/ready"
	exit "$status"
}

fifo()
{
	rm -f "$state/ready"
	mkfifo "$state/ready"
}

# Waits for the newline that a daemon writes to its readiness descriptor; the
# pipe's end without one says that the daemon is gone.
ready()
{
	if ! read -r _ <"$state/ready"; then
		say "quire: $1 did not start; the lines above say why" >&2
		[ "$1" = quired ] ||
		    say "quire: if the port is taken: make run PORT=3001" >&2
		exit 1
	fi
}

token()
{
	"$bin/quirectl" token -k "$state/keys" -s "$1" -a demo -S "$2" -t 30d
}

write_conf()
{
	cat >"$state/quire.conf" <<END
# Written by make run and kept from then on; quire.conf(5) has every setting.
data $state/data
socket $state/broker.sock
control $state/control.sock
keys $state/keys
user ""
per_address_max 4096	# whoever tries it is at one address
END
}

# A Unix socket's path has room for about a hundred octets.
if [ ${#state} -gt 80 ]; then
	say "quire: $state is too long a path for a socket" >&2
	exit 1
fi
mkdir -p "$state/data"
[ -f "$state/keys" ] || "$bin/quirectl" keygen "$state/keys"
[ -f "$state/quire.conf" ] || write_conf
trap finish EXIT
trap 'exit 0' INT TERM HUP

# One each: the first daemon may still hold its end when the second begins.
fifo
"$bin/quired" -d -f "$state/quire.conf" -r 3 3>"$state/ready" &
broker=$!
ready quired
fifo
"$bin/quire-worker" -d -s "$state/broker.sock" -u '' \
    -l "127.0.0.1:$port" -r 3 3>"$state/ready" &
listener=$!
ready quire-worker

url=ws://127.0.0.1:$port/ws/demo
read_token=$(token reader read)
write_token=$(token writer write)
cat <<END

  The relay runs.  The store "demo" is at

      $url

  Tokens for it, good for thirty days:

      read   $read_token
      write  $write_token
      admin  $(token admin admin)

  See a change travel: paste these in two other terminals, in $PWD.

      $bin/quirectl listen '$url?token=$read_token'
      $bin/quirectl send '$url?token=$write_token' 'hello'

  Then stop this with Ctrl-C, start it again, and listen once more: what was
  sent is still there.

END

# Neither is of use without the other.
while kill -0 "$broker" 2>/dev/null && kill -0 "$listener" 2>/dev/null; do
	sleep 1 &
	wait $! || :
done
say 'quire: a daemon ended; stopping' >&2
exit 1

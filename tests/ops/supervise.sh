#!/bin/sh
# Broker and listener under s6 and runit, by the files that are shipped for
# them: they come up in order, come again when they are killed, and go.
# timeout: 120
set -u
. tests/lib/private.sh

log=$QUIRE_PRIVATE/log
share=/usr/local/share/quire

# services FROM: a scan directory of its own, with the shipped files in it.
services()
{
	scan=$QUIRE_PRIVATE/scan
	mkdir "$scan"
	cp -R "$share/$1/quired" "$share/$1/quire-worker" "$scan"
}

# again NAME PID COMMAND: after a kill -9 there is another of it.
again()
{
	kill -9 "$2"
	soon another "$2" "$3"
	is "$1 is started anew" $? 0
}

another() { now=$(cat "$2") && [ -n "$now" ] && [ "$now" != "$1" ]; }

under_s6()
{
	program s6-svscan || return
	services s6
	s6-svscan "$scan" >"$log.s6" 2>&1 &
	server=$!
	soon test -e "$scan/quire-worker/supervise/control"
	s6-svwait -U -t 20000 "$scan/quired" "$scan/quire-worker"
	is 's6: both say that they are ready' $? 0
	served s6 "$log.s6"

	old=$(s6-svstat -o pid "$scan/quired")
	kill -9 "$old"
	s6-svwait -D -t 20000 "$scan/quired"
	s6-svwait -U -t 20000 "$scan/quired"
	[ "$(s6-svstat -o pid "$scan/quired")" != "$old" ]
	is 's6: a broker that was killed is started anew' $? 0
	served 's6, after a kill' "$log.s6"

	s6-svc -wD -T 20000 -d "$scan/quire-worker"
	is 's6: the listener ends' \
	    "$(s6-svstat -o up,exitcode "$scan/quire-worker")" 'false 0'
	s6-svc -wD -T 20000 -d "$scan/quired"
	is 's6: the broker ends' \
	    "$(s6-svstat -o up,exitcode "$scan/quired")" 'false 0'
	s6-svscanctl -t "$scan"
	wait "$server"
	clean s6
	rm -r "$scan"
}

under_runit()
{
	program runsvdir || return
	services runit
	SVDIR=$scan
	export SVDIR
	runsvdir "$scan" >"$log.runit" 2>&1 &
	server=$!
	soon sv check quired >/dev/null
	is 'runit: the broker is up when it answers' $? 0
	soon open_port
	is 'runit: the listener follows' $? 0
	served runit "$log.runit"

	old=$(cat "$scan/quired/supervise/pid")
	kill -9 "$old"
	soon another "$old" "$scan/quired/supervise/pid"
	sv -w 20 check quired >/dev/null
	is 'runit: a broker that was killed is started anew' $? 0
	served 'runit, after a kill' "$log.runit"

	sv -w 20 down quire-worker quired >"$log.sv"
	is 'runit: both end' $? 0
	is 'runit: ... in order' "$(sv status quired quire-worker |
	    grep -c '^down: .*normally up$')" 2
	kill -HUP "$server"
	wait "$server"
	clean runit
}

under_s6
under_runit
finished

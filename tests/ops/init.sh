#!/bin/sh
# The scripts of /etc/init.d, as installed, and those of OpenRC: start, status,
# restart and stop, each twice where that must do no harm.
# timeout: 120
set -u
. tests/lib/private.sh

log=$QUIRE_PRIVATE/log

# does WHAT STATUS COMMAND: the status of a command.
does()
{
	what=$1 wanted=$2
	shift 2
	"$@" >"$log.out" 2>&1
	status=$?
	is "$what" $status "$wanted"
	[ $status -eq "$wanted" ] || sed 's/^/# /' "$log.out"
}

# round NAME COMMAND ...: what starts a service is COMMAND SERVICE VERB.
round()
{
	name=$1
	shift
	does "$name: status before there is anything" 3 "$@" quired status
	does "$name: the broker starts" 0 "$@" quired start
	answers
	is "$name: and is ready when start returns" $? 0
	does "$name: the listener starts" 0 "$@" quire-worker start
	soon open_port
	is "$name: it listens" $? 0
	does "$name: started twice" 0 "$@" quired start
	served "$name" "$log.syslog"

	does "$name: the broker reloads" 0 "$@" quired reload
	soon grep -q 'reloaded: 1 keys' "$log.syslog"
	is "$name: and says so" $? 0

	old=$(cat /run/quired.pid)
	does "$name: the broker starts anew" 0 "$@" quired restart
	answers
	is "$name: and is ready again" $? 0
	[ "$(cat /run/quired.pid)" != "$old" ]
	is "$name: it is another" $? 0
	# OpenRC starts anew what needs it, behind our back.
	soon "$@" quire-worker status >/dev/null 2>&1
	does "$name: the listener starts anew" 0 "$@" quire-worker restart
	soon open_port
	does "$name: status" 0 "$@" quired status
	does "$name: status" 0 "$@" quire-worker status
	served "$name, anew" "$log.syslog"

	does "$name: the listener stops" 0 "$@" quire-worker stop
	does "$name: the broker stops" 0 "$@" quired stop
	clean "$name"
	is "$name: no pid file is left" "$(find /run -name '*.pid')" ''
	does "$name: stopped twice" 0 "$@" quired stop
	does "$name: status after all" 3 "$@" quired status
}

sysv() { "/etc/init.d/$1" "$2"; }

# What is wrong stops nobody who runs.
mistaken()
{
	does 'a broker' 0 sysv quired start
	echo 'no_such_setting 1' >>/etc/quire/quire.conf
	does 'a bad configuration is seen before the stop' 6 \
	    sysv quired restart
	is 'and broker, fan-out and opener go on' "$(quires)" \
	    '(quired) (quired) (quired) '
	sed -i '/no_such/d' /etc/quire/quire.conf
	chmod 644 /etc/quire/keys
	does 'so are keys that others may read' 6 sysv quired restart
	chmod 600 /etc/quire/keys
	is '... and all go on' "$(quires)" '(quired) (quired) (quired) '
	does 'it stops' 0 sysv quired stop
	does 'a word that is no command' 2 sysv quired dance
}

syslog_start "$log.syslog"
if program start-stop-daemon; then
	round sysv sysv
	mistaken
fi
if program openrc-run; then
	cp /usr/local/share/quire/openrc/* /etc/init.d
	# Not booted by it, it wants to be told that it was.
	for d in daemons exclusive failed inactive options scheduled started \
	    starting stopping tmp wasinactive; do
		mkdir -p /run/openrc/$d
	done
	touch /run/openrc/softlevel
	round openrc rc-service
fi
syslog_stop
finished

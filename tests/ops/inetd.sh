#!/bin/sh
# quire-worker under inetd, xinetd and tcpserver, by the files that are shipped
# for them.
# timeout: 120
set -u
. tests/lib/private.sh

log=$QUIRE_PRIVATE/log
share=/usr/local/share/quire

# under NAME COMMAND: a server in the foreground, and clients.
under()
{
	name=$1
	shift
	program "$name" || return
	"$@" >"$log.$name" 2>&1 &
	server=$!
	soon open_port
	is "$name: it listens" $? 0
	served "$name" "$log.broker"
	kill "$server"
	wait "$server" 2>/dev/null
	soon only_broker
	is "$name: workers went with their clients" "$(quires)" "$both"
}

only_broker() { [ "$(quires)" = "$both" ]; }

syslog_start "$log.syslog"
broker_start "$log.broker"
both=$(quires)
under inetd inetd -i $share/inetd/inetd.conf
under xinetd xinetd -dontfork -f $share/inetd/xinetd.conf
under tcpserver sh $share/tcpserver/run
broker_stop
syslog_stop
clean all
finished

#!/bin/sh
# The rc.d scripts of the BSDs, as installed there.  There is no BSD here, so a
# few lines stand in for rc.subr and daemon(8): what is tested is that the
# scripts are sound and what they start serves clients.
# timeout: 120
set -u
. tests/lib/private.sh

log=$QUIRE_PRIVATE/log

# What rc.subr(8) of FreeBSD and NetBSD does with the variables that are set.
cat >/etc/rc.subr <<'END'
load_rc_config() { :; }
run_rc_command()
{
	eval "flags=\${${name}_flags:-}"
	[ "$1" = start ] || {
		eval "\$${1}_cmd"
		return
	}
	${start_precmd:-:} || return
	for f in ${required_files:-}; do
		[ -r "$f" ] || return
	done
	if [ "$command" = /usr/sbin/daemon ]; then
		set -- $flags $command_args
		[ "$1 $2 $3" = "-f -p $pidfile" ] || return
		shift 3
		[ "$1" = "$procname" ] || return
		"$@" </dev/null >/dev/null 2>&1 &
		echo $! >"$pidfile"
	else
		eval "$command $flags $command_args"
	fi
}
END
# And that of OpenBSD.
mkdir -p /etc/rc.d
cat >/etc/rc.d/rc.subr <<'END'
rc_pre() { :; }
rc_cmd()
{
	[ "$1" = start ] || {
		"rc_$1"
		return
	}
	rc_pre && [ "$rc_bg" = YES ] || return
	$daemon $daemon_flags </dev/null >/dev/null 2>&1 &
}
END

stop()
{
	for p in /proc/[0-9]*; do
		case $(readlink "$p/exe") in
		*/quire-worker|*/quired) kill "${p#/proc/}" ;;
		esac
	done
	clean "$1"
}

# on SYSTEM SYSCONFDIR RCD
on()
{
	B=$QUIRE_B SYSTEM=$1 DESTDIR='' PREFIX=/usr/local SYSCONFDIR=$2 \
	    etc/install.sh install
	[ -e "$2/quire/keys" ] || cp /etc/quire/keys "$2/quire/keys"
	rm -rf /var/run/quire
	for s in quired quire_worker; do
		sh -n "$3/$s"
		is "$1: $s can be read" $? 0
	done
	sh "$3/quired" configtest
	is "$1: the configuration is sound" $? 0
	sh "$3/quired" start
	soon quirectl -f "$2/quire/quire.conf" status >/dev/null 2>&1
	is "$1: the broker comes up" $? 0
	sh "$3/quire_worker" start
	soon open_port
	is "$1: the listener comes up" $? 0
	served "$1" "$log.syslog"
	stop "$1"
}

syslog_start "$log.syslog"
on freebsd /usr/local/etc /usr/local/etc/rc.d
on netbsd /usr/local/etc /usr/local/etc/rc.d
on openbsd /etc /etc/rc.d
syslog_stop
finished

#!/bin/sh
# The units, as installed: checked by systemd-analyze, and then started by a
# systemd that is process 1 of a machine of its own, with no unit but ours and
# targets that are empty.
# timeout: 120
set -u
. tests/lib/private.sh

log=$QUIRE_PRIVATE/log
units=/usr/local/lib/systemd/system
manager=''

verified()
{
	systemd-analyze verify --man=no $units/*.service $units/*.socket \
	    >"$log.verify" 2>&1
	is 'units: systemd-analyze has nothing to say' $? 0
	grep -vE '^(/usr)?/lib/' "$log.verify" | sed 's/^/# /'
	systemd-analyze security --offline=yes --threshold=40 --no-pager \
	    $units/quired.service $units/quire-worker.service \
	    $units/quire-worker@.service >"$log.security" 2>&1
	is 'units: exposed less than a little' $? 0
}

# A control group that nobody else is in.
group_enter()
{
	group=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	[ -n "$group" ] || return 1
	group=$group/${QUIRE_PRIVATE##*/}
	mkdir "$group" && mkdir "$group/top"
}

group_leave()
{
	find "$group" -depth -type d -exec rmdir {} +
	[ ! -d "$group" ]
}

# drop UNIT LINE ...: adds to a unit.
drop()
{
	mkdir -p "/run/units/$1.d"
	unit=$1
	shift
	printf '%s\n' "$@" >>"/run/units/$unit.d/test.conf"
}

# Nothing but this comes up; services log where a test can read it.
configure()
{
	mkdir -p /run/units /run/generators /run/systemd/system
	for t in basic sysinit sockets multi-user shutdown umount network \
	    local-fs; do
		printf '[Unit]\nDefaultDependencies=no\n' \
		    >"/run/units/$t.target"
	done
	for s in quired quire-worker quire-worker@; do
		drop $s.service '[Service]' "StandardError=append:$log.$s"
	done
}

# What runs as process 1: it finds the group that it is in, and no controllers.
cat >"$QUIRE_PRIVATE/boot" <<'END'
mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
export container=other SYSTEMD_UNIT_PATH=/run/units:/usr/local/lib/systemd/system
export SYSTEMD_GENERATOR_PATH=/run/generators
exec /lib/systemd/systemd --system --unit=basic.target --show-status=no \
    --log-target=null
END

boot()
{
	configure
	group_enter || return 1
	# shellcheck disable=SC2016 # the inner shell's own
	sh -c 'echo $$ >"$1/top/cgroup.procs" &&
	    exec unshare -Cmpf --mount-proc --kill-child sh "$2"' sh \
	    "$group" "$QUIRE_PRIVATE/boot" >"$log.systemd" 2>&1 </dev/null &
	manager=$!
	soon control is-active -q basic.target 2>/dev/null
}

halt()
{
	control stop 'quire*'
	kill -9 "$manager"
	wait "$manager" 2>/dev/null
	soon group_leave 2>/dev/null
	is 'systemd: its control groups are gone' $? 0
}

# within COMMAND: numbers of processes are those of its machine.
within()
{
	init=$(tr -d ' ' <"/proc/$manager/task/$manager/children")
	nsenter -t "$init" -p -m "$@"
}
control() { within systemctl --no-pager "$@"; }

# active UNIT STATE
active() { is "$1 is $2" "$(control is-active "$1")" "$2"; }
main_of() { control show -P MainPID "$1"; }
another() { now=$(main_of "$2") && [ "$now" != 0 ] && [ "$now" != "$1" ]; }

# When it says that a unit is up, it is.
started_alone()
{
	control start quire-worker.service
	status=$?
	is 'the listener starts, and the broker that it wants' $status 0
	[ $status -eq 0 ] || return
	active quired.service active
	answers
	is 'Type=notify: the broker is ready' $? 0
	open_port
	is 'Type=notify: the listener is ready' $? 0
	served 'units' "$log.quired"
	has 'the broker has all its walls' "$log.quired" "sandbox: $walls"
	has 'so has the listener' "$log.quire-worker" "sandbox: $more_walls"
	is 'the broker is its user' "$(stat -c %U /var/lib/quire)" _quired

	old=$(main_of quired.service)
	within kill -9 "$old"
	soon another "$old" quired.service
	is 'a broker that was killed is started anew' $? 0
	soon answers
	served 'units, after a kill' "$log.quired"

	control stop quire-worker.service quired.service
	is 'both stop' $? 0
	is 'without a failure' \
	    "$(control list-units --failed --plain --no-legend)" ''
	clean units
}

activated()
{
	control start quire-worker.socket quired.service
	is 'socket: it is there' $? 0
	active quire-worker.service inactive
	served 'socket' "$log.quired"
	active quire-worker.service active
	has 'socket: it was passed' "$log.quire-worker" 'on 1 inherited'
	control stop quire-worker.socket quire-worker.service
	is 'socket: the listener stops' $? 0
}

accepted()
{
	drop quire-worker.socket '[Socket]' Accept=yes
	control daemon-reload
	control start quire-worker.socket
	is 'Accept=yes: the socket is there' $? 0
	quirectl listen "$URL?token=$READ" >"$log.heard" &
	reader=$!
	soon one_client
	is 'Accept=yes: a process for the client' $? 0
	served 'Accept=yes' "$log.quired"
	kill "$reader"
	wait "$reader" 2>/dev/null
	soon no_client
	is 'Accept=yes: which goes with it' $? 0
	grep without "$log.quire-worker@"
	is 'Accept=yes: no wall is missing' $? 1
	control stop quire-worker.socket quired.service
	is 'Accept=yes: without a failure' \
	    "$(control list-units --failed --plain --no-legend)" ''
	clean 'Accept=yes'
}

clients() { control list-units --plain --no-legend 'quire-worker@*' | wc -l; }
one_client() { [ "$(clients)" -eq 1 ]; }
no_client() { [ "$(clients)" -eq 0 ]; }

program systemctl || { finished; exit; }
walls='uid chroot dumpable no-new-privs landlock rlimits seccomp'
more_walls='uid chroot namespaces dumpable no-new-privs landlock rlimits seccomp'
verified
if boot; then
	started_alone
	activated
	accepted
else
	skip 'systemd as process 1' "$(tail -n 1 "$log.systemd")"
fi
[ -z "$manager" ] || halt
finished

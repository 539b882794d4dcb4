#!/bin/sh
# make install below a DESTDIR: for each system what it expects, no more; make
# uninstall takes that away, and nothing that was there before or was edited.
set -u
. tests/lib/tap.sh
QUIRE_B=${QUIRE_B:-$PWD/.build}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root

# step SYSTEM VERB [PREFIX SYSCONFDIR]
step()
{
	B=$QUIRE_B SYSTEM=$1 DESTDIR=$root PREFIX=${3:-/usr/local} \
	    SYSCONFDIR=${4:-/etc} etc/install.sh "$2" 2>"$tmp/said"
}

# Every name with its kind, mode, owner and what is in it.
listing()
{
	(cd "$root" && find . -printf '%y %m %u %g %p ' \
	    \( -type f -exec cksum {} \; -o -printf '\n' \)) | sort -k 5
}

names() { (cd "$root" && find . -type f) | sed 's/^\.//' | sort; }

# A system before: with directories, files of others, and one of ours by name.
before()
{
	rm -rf "$root"
	mkdir -p "$root/etc/init.d" "$root/usr/local/sbin" \
	    "$root/usr/local/share/man/man8"
	echo other >"$root/etc/init.d/other"
	echo other >"$root/usr/local/sbin/other"
	listing >"$tmp/before"
}

# What is in no system's place but in all.
common()
{
	for p in quired quire-worker quirectl; do
		echo /usr/local/sbin/$p
	done
	for f in man/*.[1-9]; do
		echo "/usr/local/share/man/man${f##*.}/${f##*/}"
	done
	printf '/usr/local/share/%s\n' bash-completion/completions/quirectl \
	    zsh/site-functions/_quirectl \
	    fish/vendor_completions.d/quirectl.fish
	printf '/usr/local/share/quire/%s\n' LICENSE README manifest
	find etc -type f ! -name '*.sh' ! -name 'packages.*' \
	    ! -path 'etc/debian/*' ! -path 'etc/ports/*' |
	    sed 's,^etc,/usr/local/share/quire,'
}

# system NAME SYSCONFDIR FILE ...: the files of that system.
system()
{
	name=$1 sysconfdir=$2
	shift 2
	before
	step "$name" install /usr/local "$sysconfdir"
	is "$name: installs" $? 0
	{
		common
		printf '%s\n' "$sysconfdir/quire/quire.conf" \
		    /etc/init.d/other /usr/local/sbin/other "$@"
	} | sort >"$tmp/wanted"
	names | diff "$tmp/wanted" - >"$tmp/diff"
	is "$name: every file is where it is expected, and no other" \
	    "$(cat "$tmp/diff")" ''
	listing >"$tmp/once"
	has "$name: where its sockets are" "$root$sysconfdir/quire/quire.conf" \
	    "^socket $run/quire/broker.sock"
	step "$name" install /usr/local "$sysconfdir"
	listing | diff "$tmp/once" - >"$tmp/diff"
	is "$name: a second time changes nothing" "$(cat "$tmp/diff")" ''
	step "$name" uninstall /usr/local "$sysconfdir"
	is "$name: uninstalls" $? 0
	listing | diff "$tmp/before" - >"$tmp/diff"
	is "$name: and everything is as it was" "$(cat "$tmp/diff")" ''
	step "$name" uninstall /usr/local "$sysconfdir"
	is "$name: there is nothing more to uninstall" $? 1
}

# An operator's work stays, through an update and to the end.
edited()
{
	before
	step linux install
	conf=$root/etc/quire/quire.conf
	echo '# mine' >>"$conf"
	echo key >"$root/etc/quire/keys"
	cp "$conf" "$tmp/mine"
	step linux install
	cmp -s "$conf" "$tmp/mine"
	is 'an update leaves an edited configuration alone' $? 0
	step linux uninstall
	cmp -s "$conf" "$tmp/mine"
	is 'so does uninstall' $? 0
	has 'and says so' "$tmp/said" 'quire.conf was edited and stays'
	[ -f "$root/etc/quire/keys" ]
	is 'and leaves the keys' $? 0
}

# Another PREFIX: what names paths names these.
elsewhere()
{
	before
	step linux install /opt/quire /opt/etc
	grep -rlE '/usr/local|[^t]/etc/quire' "$root/opt/etc" "$root/opt/quire" \
	    --exclude-dir=man --exclude='quire*[dlr]' --exclude=README \
	    >"$tmp/wrong"
	is 'no file names a path of another PREFIX' "$(cat "$tmp/wrong")" ''
	has 'but that which was given' \
	    "$root/opt/quire/lib/systemd/system/quired.service" \
	    '^ExecStart=!/opt/quire/sbin/quired '
	step linux uninstall /opt/quire /opt/etc
	listing | diff "$tmp/before" - >"$tmp/diff"
	is 'uninstall finds it there' "$(cat "$tmp/diff")" ''
}

run=/run
system linux /etc \
    /etc/init.d/quired /etc/init.d/quire-worker \
    /usr/local/lib/sysusers.d/quire.conf \
    /usr/local/lib/systemd/system/quired.service \
    /usr/local/lib/systemd/system/quire-worker.service \
    /usr/local/lib/systemd/system/quire-worker.socket \
    /usr/local/lib/systemd/system/quire-worker@.service
run=/var/run
system openbsd /etc /etc/rc.d/quired /etc/rc.d/quire_worker
system freebsd /usr/local/etc \
    /usr/local/etc/rc.d/quired /usr/local/etc/rc.d/quire_worker
system netbsd /usr/local/etc \
    /usr/local/etc/rc.d/quired /usr/local/etc/rc.d/quire_worker
edited
elsewhere
finished

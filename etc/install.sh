#!/bin/sh
# install.sh install|uninstall, called by make with B, SYSTEM, DESTDIR, PREFIX
# and SYSCONFDIR set.
#
# Every file and directory that install makes is written down in
# PREFIX/share/quire/manifest, and uninstall takes away what stands there: no
# directory that was there before, no configuration that was edited.
set -eu
cd "$(dirname "$0")/.."
umask 022

share=$PREFIX/share/quire
manifest=$DESTDIR$share/manifest

# Where sockets are: the BSDs have no /run.
case $SYSTEM in
*bsd)	fit_run='s|/var/run/quire|/run/quire|g; s|/run/quire|/var/run/quire|g' ;;
*)	fit_run= ;;
esac

# note KIND PATH: one line of the manifest, once.  f is a file, d a directory,
# c a file to be left alone once it differs from its neighbour in $share.
note()
{
	lines="${lines:-}$1 $2
"
}

# directory PATH: it and the parents that are missing, each noted.
directory()
{
	[ ! -d "$DESTDIR$1" ] || return 0
	[ "$1" = / ] || [ -z "$1" ] || directory "$(dirname "$1")"
	mkdir "$DESTDIR$1"
	note d "$1"
}

# put MODE FILE PATH: one file.
put()
{
	[ -f "$2" ] || return 0
	directory "$(dirname "$3")"
	install -m "$1" "$2" "$DESTDIR$3"
	note f "$3"
}

# place MODE FILE PATH: one that names paths, which are made to fit.
place()
{
	[ -f "$2" ] || return 0
	fitted=$(mktemp)
	sed "s|/usr/local/|$PREFIX/|g; s|/etc/quire|$SYSCONFDIR/quire|g
	    $fit_run" "$2" >"$fitted"
	put "$1" "$fitted" "$3"
	rm -f "$fitted"
}

do_install()
{
	[ -z "$DESTDIR" ] || mkdir -p "$DESTDIR"
	for p in quired quire-worker quirectl; do
		put 755 "$B/$p" "$PREFIX/sbin/$p"
	done
	for f in man/*.[1-9]; do
		put 644 "$f" "$PREFIX/share/man/man${f##*.}/${f##*/}"
	done
	put 644 LICENSE "$share/LICENSE"
	put 644 README "$share/README"
	# The examples, all of them on every system.
	for f in $(find etc -type f | sort); do
		mode=644
		[ ! -x "$f" ] || mode=755
		case ${f#etc/} in
		deps.sh|install.sh|run.sh|unpack.sh|packages.*|debian/*|ports/*) ;;
		*)	place $mode "$f" "$share/${f#etc/}" ;;
		esac
	done
	do_completion
	do_system
	conf=$SYSCONFDIR/quire/quire.conf
	if [ -f etc/quire.conf ] && [ ! -e "$DESTDIR$conf" ]; then
		directory "$SYSCONFDIR/quire"
		cp "$DESTDIR$share/quire.conf" "$DESTDIR$conf"
		note c "$conf"
	fi
	note f "$share/manifest"
	{
		cat "$manifest" 2>/dev/null || :
		printf '%s' "$lines"
	} | awk 'NF && !seen[$0]++' >"$manifest.new"
	mv "$manifest.new" "$manifest"
}

# What shells complete quirectl's commands with; a build for another machine
# cannot say.
do_completion()
{
	made=$(mktemp)
	for c in bash:bash-completion/completions/quirectl \
	    zsh:zsh/site-functions/_quirectl \
	    fish:fish/vendor_completions.d/quirectl.fish; do
		! "$B/quirectl" completion "${c%%:*}" >"$made" 2>/dev/null ||
		    put 644 "$made" "$PREFIX/share/${c#*:}"
	done
	rm -f "$made"
}

# What starts the daemons, where each system looks for it.
do_system()
{
	case $SYSTEM in
	linux)
		for f in etc/systemd/*; do
			place 644 "$f" "$PREFIX/lib/systemd/system/${f##*/}"
		done
		place 644 etc/sysusers.conf "$PREFIX/lib/sysusers.d/quire.conf"
		for f in etc/init.d/*; do
			place 755 "$f" "$SYSCONFDIR/init.d/${f##*/}"
		done ;;
	freebsd|netbsd|openbsd)
		for f in etc/rc.d/"$SYSTEM"/*; do
			place 555 "$f" "$SYSCONFDIR/rc.d/${f##*/}"
		done ;;
	esac
}

# Backwards, so that a directory comes after what is in it.
do_uninstall()
{
	[ -f "$manifest" ] || {
		echo "quire: nothing installed below $DESTDIR$PREFIX" >&2
		exit 1
	}
	list=$(awk '{ l[NR] = $0 } END { for (i = NR; i; i--) print l[i] }' \
	    "$manifest")
	# Configuration first, while there is still something to compare with.
	printf '%s\n' "$list" | while read -r kind path; do
		[ "$kind" = c ] || continue
		cmp -s "$DESTDIR$path" "$DESTDIR$share/${path##*/}" &&
		    rm -f "$DESTDIR$path" ||
		    echo "quire: $DESTDIR$path was edited and stays" >&2
	done
	printf '%s\n' "$list" | while read -r kind path; do
		case $kind in
		f)	rm -f "$DESTDIR$path" ;;
		d)	rmdir "$DESTDIR$path" 2>/dev/null || : ;;
		esac
	done
}

"do_$1"

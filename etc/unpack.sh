#!/bin/sh
# unpack.sh DIR: those of the packages in packages.unpacked that the machine does
# not have, unpacked below DIR with the libraries that it lacks.  On Debian and
# its kin only; elsewhere there is nothing to do, and tests find their programs
# in PATH or are skipped.
set -eu
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 0
mkdir -p "$1/done"
dir=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# Of names on standard input, those that are neither installed nor in DIR yet.
missing()
{
	while read -r p; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$p" \
		    2>/dev/null) || state=
		[ "$state" = installed ] || [ -e "$dir/done/$p" ] || echo "$p"
	done
}

# Libraries that a package needs.
libraries()
{
	dpkg-deb -f "$1" Pre-Depends Depends | tr ':,' '\n\n' |
	    sed -n 's/^ *\(lib[^ |]*\).*/\1/p'
}

names=$(sed '/^#/d' packages.unpacked | missing)
while [ -n "$names" ]; do
	# shellcheck disable=SC2086 # words are meant
	echo 'quire: unpacking for tests:' $names >&2
	rm -rf "$dir/fetched"
	mkdir "$dir/fetched"
	# shellcheck disable=SC2086
	(cd "$dir/fetched" &&
	    apt-get -o APT::Sandbox::User=root download -qq $names) || {
		rm -r "$dir"
		exit 1
	}
	needed=
	for f in "$dir"/fetched/*.deb; do
		dpkg-deb -x "$f" "$dir"
		needed="$needed $(libraries "$f")"
		touch "$dir/done/$(dpkg-deb -f "$f" Package)"
	done
	rm -r "$dir/fetched"
	# shellcheck disable=SC2086
	names=$(printf '%s\n' $needed | sed '/^$/d' | sort -u | missing)
done

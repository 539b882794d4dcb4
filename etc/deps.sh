#!/bin/sh
# deps.sh SECTION ...: see to it that the packages a make target needs are
# there.  On Debian and its kin the missing ones of the named sections of
# packages.debian are installed; elsewhere they are only named, since package
# names and versions differ too much to act on them unasked.
set -eu
cd "$(dirname "$0")"

say() { printf '%s\n' "quire: $*" >&2; }

# The packages of one section: the lines below its `# section:' heading.
section()
{
	awk -v want="$1:" '/^#/ { on = ($2 == want); next } on' packages.debian
}

# A package counts as there if dpkg says so, or if the command it is named
# after is in the PATH (node and npm often come from elsewhere).
debian_missing()
{
	for p in $(for s in "$@"; do section "$s"; done); do
		command -v "$p" >/dev/null 2>&1 && continue
		state=$(dpkg-query -W -f '${db:Status-Status}' "$p" \
		    2>/dev/null) || state=
		[ "$state" = installed ] || printf ' %s' "$p"
	done
}

debian()
{
	missing=$(debian_missing "$@")
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		as_root=sudo
		say "to be installed with sudo apt-get:$missing"
		command -v sudo >/dev/null || {
			say "no sudo here; as root: apt-get install$missing"
			return 1
		}
	else
		say "installing:$missing"
	fi
	$as_root apt-get update -q
	# shellcheck disable=SC2086 # one word a package is meant
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
	    --no-install-recommends $missing </dev/null
}

# Elsewhere: what is missing is found by trying, not by asking a database.
other_missing()
{
	for m in libevent libsodium jansson libdeflate zlib; do
		pkg-config --exists "$m" 2>/dev/null || printf ' %s' "$m"
	done
	pkg-config --exists msgpack-c 2>/dev/null ||
	    pkg-config --exists msgpack 2>/dev/null || printf ' msgpack-c'
	if [ "$(uname -s)" = Linux ]; then
		pkg-config --exists libseccomp 2>/dev/null ||
		    printf ' libseccomp'
	fi
	found=
	for d in /usr/include /usr/local/include/db5 /usr/pkg/include/db5; do
		[ ! -e "$d/db.h" ] || found=1
	done
	[ -n "$found" ] || printf ' libdb-5.3'
	for s in "$@"; do
		case $s in
		build)	for c in cc pkg-config; do
				command -v "$c" >/dev/null || printf ' %s' "$c"
			done ;;
		check)	pkg-config --exists cmocka 2>/dev/null ||
			    printf ' cmocka'
			for c in mandoc node npm; do
				command -v "$c" >/dev/null || printf ' %s' "$c"
			done ;;
		lint)	for c in clang clang-format clang-tidy cppcheck \
			    shellcheck; do
				command -v "$c" >/dev/null || printf ' %s' "$c"
			done ;;
		esac
	done
}

other()
{
	missing=$(other_missing "$@")
	[ -n "$missing" ] || return 0
	say "missing:$missing"
	say "install what you lack of these, then run make again:"
	cat >&2 <<-'END'
	apk add       build-base linux-headers pkgconf libevent-dev
	              msgpack-c-dev db-dev libsodium-dev jansson-dev openssl-dev
	              libseccomp-dev libdeflate-dev zlib-dev cmocka-dev mandoc
	              nodejs npm
	              clang clang-extra-tools cppcheck shellcheck
	dnf install   gcc make pkgconf-pkg-config libevent-devel msgpack-devel
	              libdb-devel libsodium-devel jansson-devel
	              libseccomp-devel libdeflate-devel zlib-devel libcmocka-devel
	              mandoc openssl-devel nodejs npm clang clang-tools-extra cppcheck ShellCheck
	pkg install   gmake pkgconf libevent msgpack-c db5 libsodium jansson
	              libdeflate cmocka node npm llvm cppcheck hs-ShellCheck
	pkg_add       gmake libevent msgpack-c db libsodium jansson
	              libdeflate cmocka node clang-tools-extra cppcheck shellcheck
	END
	return 1
}

if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
	debian "$@"
else
	other "$@"
fi

#!/bin/sh
# The tarball has what git has, writes itself again without git, and what
# packagers made of it is of the same version.
QUIRE_TOP=${QUIRE_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$QUIRE_TOP" || exit 1
. tests/lib/tap.sh
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
version=$(sed -n 's/^VERSION := //p' GNUmakefile)
name=quire-$version

# listing TARBALL: the files in it, sorted.
listing()
{
	tar -tzf "$1" | sed -n "s|^$name/\(\./\)*\(.*[^/]\)\$|\2|p" | sort
}

# dist DIR: makes it there, and moves it to here.
dist()
{
	make -s -C "$1" B="$tmp/b" dist >/dev/null && mv "$1/$name.tar.gz" "$tmp"
}

dist .
ok $? 'there is a tarball'
listing "$tmp/$name.tar.gz" >"$tmp/first"
if [ -e .git ]; then
	git ls-files | sort | diff - "$tmp/first" >"$tmp/wrong"
	ok $? 'with the files that git has'
	sed 's/^/# /' "$tmp/wrong"
else
	skip 'with the files that git has' 'there is no git'
fi
tar -xzf "$tmp/$name.tar.gz" -C "$tmp"
dist "$tmp/$name"
listing "$tmp/$name.tar.gz" | diff "$tmp/first" - >"$tmp/wrong"
ok $? 'unpacked it makes the same one'
sed 's/^/# /' "$tmp/wrong"
(cd "$tmp/$name" && make -n all >/dev/null 2>"$tmp/wrong")
ok $? 'and knows how to build'

is 'the Debian package is of this version' \
    "$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' etc/debian/changelog)" "$version"
is 'so is the port for OpenBSD' \
    "$(sed -n 's/^V =[	 ]*//p' etc/ports/openbsd/Makefile)" "$version"
is 'and that for FreeBSD' \
    "$(sed -n 's/^DISTVERSION=[	 ]*//p' etc/ports/freebsd/Makefile)" "$version"
finished

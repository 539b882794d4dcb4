#!/bin/sh
# The Debian package, from a tarball and without git: it builds, lintian has
# nothing to say, and in a Debian of its own it starts, is upgraded with what it
# holds, and goes without a trace.  Only in `make check-long'.
# timeout: 180
QUIRE_TOP=${QUIRE_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
QUIRE_B=${QUIRE_B:-$QUIRE_TOP/.build}
cd "$QUIRE_TOP" || exit 1
. tests/lib/tap.sh
set -u

# inside: root of the other Debian, with its own processes and network.
inside()
{
	mount -t proc proc /proc
	# There is no init here, and yet services are wanted.
	printf '#!/bin/sh\nexit 0\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	cd / || exit 1
	url=ws://127.0.0.1:3000/ws/demo
	fails() { "$@" >/dev/null 2>&1 && return 1 || return 0; }
	answers() { quirectl status >/dev/null 2>&1; }
	token() { quirectl token -k /etc/quire/keys -s me -a demo -S write; }
	ended() { ! pgrep -x quired && ! pgrep -x quire-worker; } >/dev/null

	dpkg -i /quire-1.deb
	ok $? 'it is installed'
	soon answers
	ok $? 'the broker runs'
	quirectl send "$url?token=$(token)" one
	ok $? 'a client is served'
	pid=$(cat /run/quired.pid)
	is 'by a user of its own' "$(ps -o user= -p "$pid")" _quired
	is 'the key is the broker'"'s" "$(stat -c '%U %a' /etc/quire/keys)" \
	    'root 600'
	keys=$(cksum </etc/quire/keys)
	echo '# mine' >>/etc/quire/quire.conf

	dpkg --force-confold -i /quire-2.deb
	ok $? 'it is upgraded'
	soon answers
	fails test "$pid" = "$(cat /run/quired.pid)"
	ok $? 'another broker runs'
	is 'with the same key' "$(cksum </etc/quire/keys)" "$keys"
	has 'and my configuration' /etc/quire/quire.conf '^# mine$'
	quirectl stores >/stores
	has 'and what was stored' /stores '^sds 0 1 .*"demo"$'
	quirectl send "$url?token=$(token)" two
	ok $? 'clients are served'

	dpkg --remove quire
	ok $? 'it is removed'
	soon ended
	ok $? 'nothing runs any more'
	test -d /var/lib/quire -a -e /etc/quire/keys
	ok $? 'what it held is there'
	dpkg --purge quire
	ok $? 'it is purged'
	find / -xdev \( -path /proc -o -path /var/lib/dpkg -o -path /var/cache \
	    -o -path /work -o -path /var/log -o -path /tmp \) -prune -o \
	    \( -name 'quire*' -o -name '[SK][0-9]*quire*' \) \
	    ! -name 'quire-[12].deb' -print >/left
	is 'and left nothing' "$(cat /left)" ''
	finished
}

[ "${1:-}" != inside ] || inside
[ -n "${QUIRE_LONG:-}" ] || {
	echo 'only in make check-long'
	exit 77
}
for p in dpkg-buildpackage lintian unshare; do
	command -v $p >/dev/null || { echo "there is no $p"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo 'needs root, for a Debian of its own'; exit 77; }

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/source"
make -s dist B="$tmp/dist" >/dev/null &&
    mv quire-*.tar.gz "$tmp" && tar -xzf "$tmp"/quire-*.tar.gz -C "$tmp/source"
ok $? 'there is a tarball'
cd "$tmp"/source/quire-* || exit 1
make deb >"$tmp/log" 2>&1
ok $? 'it becomes a package, without git'
set -- .build/deb/*.changes
[ -e "$1" ] || { tail -n 30 "$tmp/log"; finished; }
is 'of the version that the programs are' \
    "$(dpkg-deb -f .build/deb/quire_*.deb Version | sed 's/-[^-]*$//')" \
    "$(sed -n 's/^VERSION := //p' GNUmakefile)"
lintian --allow-root --fail-on error,warning "$1"
ok $? 'lintian has nothing to say'

# A Debian to install it in: a copy of $QUIRE_CHROOT, or a new one.
root=$tmp/root
if [ -n "${QUIRE_CHROOT:-}" ]; then
	cp -ax "$QUIRE_CHROOT" "$root"
elif command -v debootstrap >/dev/null; then
	debootstrap --variant=minbase bookworm "$root" >"$tmp/log" 2>&1
fi
[ -x "$root/usr/bin/dpkg" ] || {
	skip 'it is installed' 'no debootstrap, and QUIRE_CHROOT names no Debian'
	finished
}
needs=$(dpkg-deb -f .build/deb/quire_*.deb Depends | sed 's/([^)]*)//g' |
    tr -d ,)
# shellcheck disable=SC2086,SC2016 # words are meant
unshare -m sh -c 'mount --bind /dev "$1/dev"; exec chroot "$@"' sh "$root" \
    sh -c 'apt-get -qq update; apt-get install -qq -y \
    --no-install-recommends procps "$@"' sh $needs >"$tmp/log" 2>&1
ok $? 'what it depends on is there'

cp .build/deb/quire_*.deb "$root/quire-1.deb"
dpkg-deb -R "$root/quire-1.deb" "$tmp/next"
sed -i 's/^Version: .*/&.1/' "$tmp/next/DEBIAN/control"
dpkg-deb --root-owner-group -b "$tmp/next" "$root/quire-2.deb" >/dev/null
mkdir -p "$root/tests/ops" "$root/tests/lib"
cp "$QUIRE_TOP/tests/ops/deb.sh" "$root/tests/ops"
cp "$QUIRE_TOP/tests/lib/tap.sh" "$root/tests/lib"
# shellcheck disable=SC2016 # perl's own
unshare -mnipuf --kill-child sh -c 'perl -e '\''
    my $lo = pack("a16 s x14", "lo", 0x41);
    socket(S, 2, 2, 0) && ioctl(S, 0x8914, $lo) or die "lo: $!\n"'\''
    mount --bind /dev "$1/dev"
    QUIRE_TOP=/ QUIRE_B=/ exec chroot "$1" /tests/ops/deb.sh inside' sh "$root" \
    >"$tmp/inside" 2>&1
inside=$?
# Its lines go on where ours end.
# shellcheck disable=SC2154 # tap.sh sets count and failed
awk -v n="$count" '
/^(not )?ok [0-9]+ / { sub(/[0-9]+/, ++n) }
/^1\.\./ { print "1.." n; next }
!/^(not )?ok / { print "# " $0; next }
{ print }' "$tmp/inside"
# shellcheck disable=SC2154
exit $((failed || inside))

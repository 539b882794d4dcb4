#!/bin/sh
# The commands in the manuals' examples, run as they are printed, on a machine of
# their own where quire is installed; and none of them is left out.
# timeout: 120
set -u
. tests/lib/private.sh

dir=$QUIRE_PRIVATE/examples
mkdir "$dir" "$dir/home"
mount -t tmpfs tmpfs /var/backups

# Commands of all pages, a line each: page, tab, prompt's command, with what
# goes on in the next lines behind a blank for the line's end.
for f in man/*.[1-9]; do
	[ "$f" != man/quire.conf.5 ] || continue # a # is a comment there
	awk -v page="${f#man/}" '
	/^\.Dl [a-z]*[#$] / { on = 1; sub(/^\.Dl /, "") }
	/^\.Bd -literal/ { block = 1; next }
	/^\.Ed/ { block = on = 0 }
	!block && !on { next }
	/^[a-z]*[#$] / { sub(/^[a-z]*[#$] /, ""); printf "\n%s\t", page; on = 1 }
	on { more = /\\e$/; sub(/ *\\e$/, ""); sub(/^ +/, " ")
	     quotes += gsub(/\047/, "&"); printf "%s", $0
	     on = more || quotes % 2 }
	END { print "" }' "$f"
done | grep . >"$dir/all"
: >"$dir/tried"

# printed PAGE COMMAND: it stands there; it is in $command as in the page.
printed()
{
	command=$(grep -F "$1	$2" "$dir/all" | cut -f 2- | head -n 1)
	printf '%s\t%s\n' "$1" "$command" >>"$dir/tried"
	[ -n "$command" ] || ok 1 "$1 has: $2"
}

# typed PAGE COMMAND ...: each works, in the shell that goes through them all.
typed()
{
	page=$1
	shift
	for words in "$@"; do
		printed "$page" "$words"
		eval "$command" >"$dir/out" 2>"$dir/err"
		status=$?
		is "$page: $words" $status 0
		[ $status -eq 0 ] || sed 's/^/# /' "$dir/err"
	done
}

# elsewhere PAGE COMMAND WHY: run by another test, or not to be had here.
elsewhere()
{
	printed "$1" "$2"
	skip "$1: $2" "$3"
}

# started PAGE COMMAND FILE: goes on in the background, as $started, and prints
# into the file.
started()
{
	printed "$1" "$2"
	eval "exec $command" >"$dir/$3" 2>"$dir/err" &
	started=$!
}

stopped()
{
	kill "$1"
	wait "$1" 2>/dev/null
}

hears() { soon grep -qs "$2" "$dir/$1"; }

cd "$dir" || exit 1
export HOME="$dir/home"

# --- quired.8: users, a key, a configuration ---------------------------------

rm /etc/quire/keys
if command -v systemd-sysusers >/dev/null; then
	typed quired.8 systemd-sysusers
else
	elsewhere quired.8 systemd-sysusers 'there is no systemd'
fi
sed -i '/^_quire[dw]:/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
typed quired.8 'useradd -r -d / -s /usr/sbin/nologin _quired' \
    'useradd -r -d / -s /usr/sbin/nologin _quirew' \
    'quirectl keygen /etc/quire/keys' 'quired -n && echo good'
has '... good' out '^good$'
typed quired.8 'quired -n -v | grep _max'
has '... some of them' out '^sessions_max 4096$'
rm /etc/quire/keys

# --- quired.8: without root, in a directory of one's own ---------------------

chown -R nobody home
chmod 711 "$QUIRE_PRIVATE" "$dir"
for words in 'mkdir -p ~/quire/data' 'quirectl keygen ~/quire/keys' \
    "quired -d -D data=\$HOME/quire/data" 'quire-worker -d -s ~/quire/broker'; do
	printed quired.8 "$words"
	printf '%s\n' "$command"
done >script
chmod 644 script
setpriv --reuid=nobody --clear-groups setsid sh script >own.log 2>&1 &
soon open_port
is 'quired.8: a relay of one'"'"'s own' $? 0
setpriv --reuid=nobody --clear-groups quirectl token -k home/quire/keys \
    -s me -a notes -S write >token
quirectl send "ws://127.0.0.1:3000/ws/notes?token=$(cat token)" x
is '... serves' $? 0
for p in /proc/[0-9]*; do
	case $(cat "$p/comm" 2>/dev/null) in quired|quire-worker)
		kill "${p#/proc/}" ;;
	esac
done 2>/dev/null
soon none_left

# --- quirectl.8: keys, tokens, and a change that travels ---------------------

# The listener says what it has to say to nobody: there is no syslog here.
typed quirectl.8 'quirectl keygen -K summer /etc/quire/keys' \
    'quirectl token -s alice -a notes -S write -t 30d >token'
broker_start "$dir/broker.log"
started quire-worker.8 'quire-worker -l 127.0.0.1:3000' worker
listener=$started
soon open_port
is 'quire-worker.8: a listener' $? 0
typed quirectl.8 'quirectl keys add autumn && quirectl reload' \
    'quirectl token -s alice -a notes -S write -t 30d >token' \
    'quirectl keys retire summer && quirectl reload' \
    'url=ws://127.0.0.1:3000/ws/notes?token=$(cat token)'
url="ws://127.0.0.1:3000/ws/notes?token=$(cat token)"
started quirectl.8 'quirectl listen "$url"' heard
reader=$started
typed quirectl.8 'quirectl send "$url" hello'
hears heard '^PATCH hello$'
is '... which travels' $? 0
if command -v jq >/dev/null; then
	typed quirectl.8 'quirectl stores -j | jq'
	is '... notes is open' "$(cat out)" notes
else
	elsewhere quirectl.8 'quirectl stores -j | jq' 'there is no jq'
fi
typed quirectl.8 'quirectl keygen -e -K issuer secret' \
    'quirectl pubkey secret >public' 'quirectl token -k secret -s alice'
issued=$(cat out)
typed quirectl.8 'cat public >>/etc/quire/keys && quirectl reload'
quirectl send "${url%=*}=$issued" 'from the issuer'
hears heard 'from the issuer'
is '... which the relay takes' $? 0

# --- the other pages ---------------------------------------------------------

cp /etc/quire/keys keys
started quire-design.7 'quirectl trace -m SUBMIT,VERDICT' traced
typed quire-design.7 'quirectl send "$url" hello'
seen() { quirectl send "$url" again && grep -q ' verdict ' "$dir/traced"; }
soon seen
is 'quire-design.7: ... and is traced' $? 0
stopped "$started"
typed quire-design.7 'quirectl sandbox worker'

typed quire-dialects.7 'quirectl token -k keys -s alice -a notes -S read >token'
started quire-dialects.7 'quirectl listen "ws://' heard2
hears heard2 '^PATCH hello$'
is 'quire-dialects.7: what is heard' $? 0
stopped "$started"
# shellcheck disable=SC2034 # the next command's
ADMIN=$(quirectl token -s root -a notes -S admin)
typed quire-dialects.7 'curl -s -X POST http://127.0.0.1:3000/api/token'
has '... is a token' out '^\{"token":"eyJ[^"]*"\}$'
typed quire-dialects.7 'quirectl token -k keys -s alice -a quire -S write'
has '... of three parts' out '^eyJ[^.]*\.[^.]*\.[^.]*$'
cp out bearer
quirectl token inspect bearer >claims
has '... that says what the page says' claims \
    'claim secsync .*"keys": ?\["FVQxwYpHSPWZJfHHzXwGUFl00kIWCrjayFJdgIjFKtM"\]'
command -v uuidgen >/dev/null ||
    uuidgen() { cat /proc/sys/kernel/random/uuid; }
typed quire-dialects.7 'quirectl token -s "$(uuidgen)"'
typed quire-export.5 'quirectl export sds:notes notes.quire' 'head -c 60'
has '... its name is there' out notes
typed quire-changes.7 'quirectl status | grep version' \
    'quirectl backup /var/backups/quire' 'quired -n && echo good'

stopped "$reader"
stopped "$listener"
if command -v tcpserver >/dev/null; then
	started quire-worker.8 'tcpserver -vHR' tcpserver
	soon open_port
	quirectl send "$url" 'by tcpserver'
	is 'quire-worker.8: tcpserver' $? 0
	stopped "$started"
else
	elsewhere quire-worker.8 'tcpserver -vHR' 'there is no tcpserver'
fi
elsewhere quire-worker.8 's6-tcpserver' 'Debian has none'
elsewhere quire-worker.8 'systemctl enable' 'in ops/systemd'
broker_stop

# Configurations: an issuer's, and the two examples.
for n in 1 2 3; do
	awk -v n=$n '/^\.Sh/ { on = /EXAMPLES|AN ISSUER/ }
	on && /^\.Ed/ { block = 0 }
	block && seen == n { print }
	on && /^\.Bd -literal/ { block = 1; seen++ }' \
	    "$OLDPWD/man/quire.conf.5" >conf
	grep -q '^keys ' conf || echo "keys $dir/keys" >>conf
	sed -i "s,/home/alice,$dir/home," conf
	# What it names is not there, which is said after it was found good.
	quired -n -v -f conf >out 2>err
	grep -q '^broker_wait_ms' out
	is "quire.conf.5: configuration $n is good" $? 0
	sed 's/^/# /' err
done

sort -u tried >ran
sort -u all | comm -23 - ran >wrong
is 'none is left out' "$(cat wrong)" ''
finished

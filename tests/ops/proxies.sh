#!/bin/sh
# nginx, Caddy, HAProxy and stunnel in front, each with the example that is
# shipped for it: a client comes over TLS, hears and is heard, and the log has
# its own address.  The programs are the real ones; etc/unpack.sh brings them.
# timeout: 120
if [ -z "${QUIRE_LOG:-}" ]; then
	QUIRE_LOG=$(mktemp)
	export QUIRE_LOG
	"$0" "$@" 2>"$QUIRE_LOG"
	status=$?
	sed 's/^/# /' "$QUIRE_LOG"
	rm "$QUIRE_LOG"
	exit $status
fi
# shellcheck disable=SC2034 # server.sh reads it
settings='proxy 127.0.0.1'
. tests/lib/server.sh
. tests/lib/tap.sh
set -u
unpacked=$(cd "$QUIRE_B" && pwd)/unpacked
PATH=$PATH:$unpacked/usr/sbin:$unpacked/usr/bin
LD_LIBRARY_PATH=$(ls -d "$unpacked"/usr/lib/*-linux-* "$unpacked"/lib/*-linux-* \
    2>/dev/null | tr '\n' ':')
NODE_PATH=/usr/share/nodejs
export PATH LD_LIBRARY_PATH NODE_PATH
tmp=$QUIRE_DIR/proxy
mkdir "$tmp" "$tmp/home"
port=$((20000 + $$ % 10000))

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$tmp/key" -out "$tmp/cert" >/dev/null 2>&1
cat "$tmp/cert" "$tmp/key" >"$tmp/both"

# example FILE [SED ...]: it, with our ports and files in place of the usual.
example()
{
	file=$1
	shift
	sed -e "s|127.0.0.1:3000|127.0.0.1:$QUIRE_PORT|" \
	    -e "s|/etc/ssl/quire.pem|$tmp/cert|" \
	    -e "s|/etc/ssl/private/quire.key|$tmp/key|" \
	    -e "s|/etc/ssl/private/quire-both.pem|$tmp/both|" "$@" \
	    "etc/proxy/$file"
}

open_port()
{
	node -e 'require("net").connect(+process.argv[1], "127.0.0.1")
	    .on("connect", () => process.exit(0))
	    .on("error", () => process.exit(1))' "$port"
}

# refused: the log says so, since the proxy was started.
refused()
{
	tail -n "+$((lines + 1))" "$QUIRE_LOG" |
	    grep -q '127\.0\.0\.2: login refused'
}

# behind NAME COMMAND ...: starts it and sees that clients are served.
behind()
{
	name=$1
	shift
	command -v "$1" >/dev/null || {
		skip "$name" 'etc/unpack.sh brings it'
		return
	}
	lines=$(wc -l <"$QUIRE_LOG")
	"$@" >"$tmp/$name.log" 2>&1 &
	pid=$!
	soon open_port
	ok $? "$name listens"
	node tests/ops/wss.js "$port" "$tmp/cert" "$READ" "$WRITE" \
	    >"$tmp/said" 2>&1
	ok $? "$name: clients hear each other, and a stranger is refused"
	sed 's/^/# /' "$tmp/said"
	soon refused
	ok $? "$name: the log has the client's own address"
	kill "$pid"
	wait "$pid" 2>/dev/null
	grep -q 'token=' "$tmp/$name.log"
	is "$name: no token is in its log" $? 1
	port=$((port + 1))
}

{
	printf '%s\n' 'daemon off;' 'master_process off;' "pid $tmp/pid;" \
	    "error_log stderr;" 'events { }' 'http {'
	for d in client_body proxy fastcgi uwsgi scgi; do
		echo "${d}_temp_path $tmp/$d;"
	done
	example nginx.conf -e "s|listen 443|listen 127.0.0.1:$port|"
	echo '}'
} >"$tmp/nginx.conf"
behind nginx nginx -e stderr -p "$tmp" -c "$tmp/nginx.conf"

{
	printf '{\n\tadmin off\n\tauto_https disable_redirects\n}\n'
	example Caddyfile -e 's|# tls|tls|' \
	    -e "s|^sync.example.org|https://localhost:$port|"
} >"$tmp/Caddyfile"
HOME=$tmp/home
export HOME
behind caddy caddy run --adapter caddyfile --config "$tmp/Caddyfile"

example haproxy.cfg -e "s|bind :443|bind 127.0.0.1:$port|" >"$tmp/haproxy.cfg"
behind haproxy haproxy -db -f "$tmp/haproxy.cfg"

{
	printf 'foreground = yes\npid =\n'
	example stunnel.conf -e "s|accept = 443|accept = 127.0.0.1:$port|"
} >"$tmp/stunnel.conf"
behind stunnel stunnel4 "$tmp/stunnel.conf"
finished

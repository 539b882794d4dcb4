#!/bin/sh
# The figures: text that Prometheus reads, the rows of the table and no others,
# and numbers that move with what happens.
port=${QUIRE_METRICS_PORT:-$((20000 + $$ % 10000))}
export QUIRE_METRICS_PORT="$port"
# shellcheck disable=SC2034 # server.sh reads it
settings="metrics 127.0.0.1:$port"
. tests/lib/server.sh
. tests/lib/tap.sh
set -u
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf
tmp=$QUIRE_DIR/metrics
base=http://127.0.0.1:$port
mkdir "$tmp"

# value NAME: of a figure as it is now.
value()
{
	"$ctl" -f "$conf" metrics | awk -v n="$1" '$1 == n { print $2 }'
}

# at_least NAME N: it is that or more.
at_least()
{
	[ "$(value "$1")" -ge "$2" ]
}

# get PATH [OPTION ...]: the status, and the body in $tmp/body
get()
{
	path=$1
	shift
	curl -s -o "$tmp/body" -D "$tmp/head" -w '%{http_code}' "$@" "$base$path"
}

"$ctl" -f "$conf" metrics >"$tmp/text"
node tests/ops/exposition.js <"$tmp/text" >"$tmp/found" 2>"$tmp/wrong"
ok $? 'the text is what Prometheus reads'
sed 's/^/# /' "$tmp/wrong"

{
	printf '#define %s\n' 'LABELS(n, a, b)' \
	    'METRIC(n, T, L, v, h) quire_##n T L h' \
	    'HISTOGRAM(n, m, h) quire_##n HISTOGRAM NONE h'
	echo '#include "broker/metrics.def"'
} | ${CC:-cc} -std=c11 -E -P -I. - | grep . | awk '{
	n = split("NONE - VERSION version DIALECT dialect TRAFFIC dialect,direction CODE code LAYER layer", l, " ")
	for (i = 1; i < n; i += 2) word[l[i]] = l[i + 1]
	$2 = tolower($2); $3 = word[$3]; print
}' | tr -d '"' >"$tmp/rows"
grep -v '^quire_sandbox_layer ' "$tmp/rows" >"$tmp/a"
grep -v '^quire_sandbox_layer ' "$tmp/found" >"$tmp/b"
diff "$tmp/a" "$tmp/b" >"$tmp/wrong"
ok $? 'it has the rows of metrics.def with type, labels and help'
sed 's/^/# /' "$tmp/wrong"

is 'it is GET /metrics' "$(get /metrics)" 200
has 'in that type' "$tmp/head" '^Content-Type: text/plain; version=0.0.4'
node tests/ops/exposition.js <"$tmp/body" >"$tmp/http" 2>&1
diff "$tmp/found" "$tmp/http"
ok $? 'with the same metrics'

# What a client does is counted, by what it was.
mkfifo "$tmp/heard"
"$ctl" listen "$QUIRE_URL/ws/demo?token=$READ" >"$tmp/heard" 2>/dev/null &
listen=$!
exec 3<"$tmp/heard"
soon at_least 'quire_connections{dialect="sds"}' 1
ok $? 'a connection is counted with its dialect'
"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" hello
read -r _ <&3
soon at_least quire_commits_total 1
ok $? 'so is a commit'
soon at_least quire_batch_operations_count 1 &&
    soon at_least quire_flush_seconds_count 1
ok $? 'with its batch and flush'
"$ctl" send "$QUIRE_URL/ws/demo?token=${WRITE%????}AAAA" x 2>/dev/null
soon at_least 'quire_refusals_total{code="bad-token"}' 1
ok $? 'a refusal is counted with its code'
"$ctl" -f "$conf" metrics -j | node -e '
const f = JSON.parse(require("fs").readFileSync(0));
process.exit(f["quire_info{version=\"'"$("$ctl" -V | cut -d " " -f 2)"'\"}"] === 1 ? 0 : 1)'
ok $? '-j has them by name'

# What only others see: a worker that ends, the fast lane, and a listener.
sds='quire_messages_total{dialect="sds",direction='
soon at_least "$sds\"in\"}" 2
ok $? 'a message of a client is counted when its worker ends'
laned()
{
	# A worker that could not ask for one asks when there is more.
	"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" more
	read -r _ <&3
	at_least quire_lanes 1
}
soon laned
ok $? 'the reader has a lane'
was=$(value "$sds\"out\"}")
for i in 1 2 3 4 5 6 7 8 9 10; do
	"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" "through the lane $i"
	read -r _ <&3
done
soon at_least "$sds\"out\"}" $((was + 10))
ok $? 'a message to a client is counted where the fast lane writes it'
soon at_least 'quire_bytes_total{dialect="sds",direction="out"}' 160
ok $? 'with its octets'

# The address: three paths and a page, GET alone.
is '/health' "$(get /health)" 200
is '/ready' "$(get /ready)" 200
is 'a path that is none' "$(get /nothing)" 404
is 'a query makes another path' "$(get '/metrics?a=b')" 404
is 'POST' "$(get /metrics -X POST -d x)" 405
is 'HEAD' "$(get /metrics -I)" 405
is 'a head that is too long' \
    "$(get /metrics -H "X: $(head -c 5000 /dev/zero | tr '\0' x)")" 431
is 'no request' "$(printf 'x\r\n\r\n' |
    curl -s -m 10 "telnet://127.0.0.1:$port" | head -n 1 | tr -d '\r')" 'HTTP/1.1 400 Bad Request'

is '/status.json' "$(get /status.json)" 200
node -e '
const s = JSON.parse(require("fs").readFileSync(process.argv[1]));
const at = s.connections.find((c) => c.store === "demo");
process.exit(s.ready === "" && s.figures["quire_stores_open"] >= 1 &&
    s.stores.some((d) => d.name === "demo" && d.dialect === "sds") &&
    at && at.scope === "read" && at.address === "127.0.0.1" ? 0 : 1)' \
    "$tmp/body"
ok $? 'has figures, stores and connections'
is 'the page' "$(get /)" 200
node tests/ops/page.js "$tmp/head" "$tmp/body" >"$tmp/wrong" 2>&1
ok $? 'asks for nothing elsewhere, and its policy lets its script run'
sed 's/^/# /' "$tmp/wrong"
is 'not for a page that calls us by a name of its own' \
    "$(get /status.json -H 'Host: evil.example')" 421
is 'while Prometheus may' "$(get /metrics -H 'Host: relay.example')" 200

# The only connection that is left.
is 'no worker has crashed' "$(value quire_worker_crashes_total)" 0
children() { cat "/proc/$QUIRE_LISTENER/task/$QUIRE_LISTENER/children"; }
reader_alone() { [ "$(children | wc -w)" -eq 2 ]; } # and the keeper
soon reader_alone
kill -SEGV "$(children | awk '{ print $2 }')"
wait "$listen"
crashed()
{
	"$ctl" send "$QUIRE_URL/ws/demo?token=$WRITE" again 2>/dev/null
	at_least quire_worker_crashes_total 1
}
soon crashed
ok $? 'a worker that crashed is told by the next one'
next=$((port + 1))
status=$("$QUIRE_B/tests/wire/serve" \
    -s "metrics 127.0.0.1:$next" -s 'free_floor_bytes 1024G' \
    curl -s -w ' %{http_code}' "http://127.0.0.1:$next/ready" 2>/dev/null |
    tr -d '\n')
is 'a relay that may not write is not ready' "$status" 'the disk is full 503'
finished

#!/bin/sh
# The status page in headless Chromium: its script runs under its own policy,
# figures and names are there and move, what a client chose stays text, and
# nothing was asked for elsewhere.
port=${QUIRE_METRICS_PORT:-$((30000 + $$ % 2000))}
export QUIRE_METRICS_PORT="$port"
# shellcheck disable=SC2034 # server.sh reads it
settings="metrics 127.0.0.1:$port"
chromium=$(command -v chromium || command -v chromium-browser ||
    command -v google-chrome) || {
	echo 'there is no Chromium; `apt-get install chromium'"'"' brings it'
	exit 77
}
. tests/lib/server.sh
. tests/lib/tap.sh
set -u
ctl=$QUIRE_B/quirectl
tmp=$QUIRE_DIR/page
mkdir "$tmp"

# dump FILE: the page after a few rounds of its script.
dump()
{
	HOME=$tmp timeout 60 "$chromium" --headless --no-sandbox --disable-gpu \
	    --disable-dev-shm-usage --no-first-run --user-data-dir="$tmp/user" \
	    --log-net-log="$tmp/net" --enable-logging=stderr \
	    --virtual-time-budget=9000 --dump-dom "http://127.0.0.1:$port/" \
	    >"$1" 2>"$tmp/log"
}

token=$("$ctl" -f "$QUIRE_DIR/conf" token -s '<b>me</b>' -a '<i>one</i>' \
    -S write)
mkfifo "$tmp/heard"
"$ctl" listen "$QUIRE_URL/ws/%3Ci%3Eone%3C%2Fi%3E?token=$token" \
    >"$tmp/heard" 2>/dev/null &
listen=$!
exec 3<"$tmp/heard"
there() { "$ctl" -f "$QUIRE_DIR/conf" connections | grep -q one; }
soon there
dump "$tmp/dom"
ok $? 'a browser shows it'
has 'the relay is ready' "$tmp/dom" '<span id="state"[^>]*class="good">ready<'
has 'the number of connections is there' "$tmp/dom" \
    '<figcaption>connections</figcaption><b>1</b>'
has 'a chart has points' "$tmp/dom" '<polyline points="[0-9]+,[0-9.]+ [0-9]'
has 'a name is text, whatever it is' "$tmp/dom" \
    '<td class="">&lt;i&gt;one&lt;/i&gt;</td>'
has 'so is a subject' "$tmp/dom" '&lt;b&gt;me&lt;/b&gt;'
grep -E 'Refused to|Content Security Policy|Uncaught' "$tmp/log" >"$tmp/wrong"
is 'the policy lets all of it be, and no error is met' "$(cat "$tmp/wrong")" ''
# What the browser asks its maker for on its own is not the page's doing.
grep -o '"url":"[^"]*"' "$tmp/net" | grep "127.0.0.1:$port" | sort -u |
    sed "s|.*:$port||; s|\"||" | sort -u >"$tmp/asked"
is 'it asked for its figures and nothing else' \
    "$(grep -v favicon "$tmp/asked" | tr '\n' ' ')" '/ /status.json '
kill "$listen"
finished

# ctl.sh, sourced behind server.sh and tap.sh: quirectl against the relay, and
# clients that it may tell to go.
# shellcheck shell=sh disable=SC2034,SC2154 # used by, and set in, who sources it
ctl=$QUIRE_B/quirectl
conf=$QUIRE_DIR/conf
out=$QUIRE_DIR/out

# listen NAME TOKEN [STORE]: a client that stays until it is told to go, as
# process $NAME_pid.
listen()
{
	timeout 60 "$ctl" listen "$QUIRE_URL/ws/${3:-demo}?token=$2" \
	    >"$QUIRE_DIR/$1.out" 2>"$QUIRE_DIR/$1.end" &
	eval "$1_pid=\$!"
}

# there N: so many connections have a store open.
there()
{
	"$ctl" -f "$conf" connections -j >"$out"
	[ "$(grep -c '"store": "sds:' "$out")" -eq "$1" ]
}

# ended NAME WHAT HOW: the client ends, and says how.
ended()
{
	eval "wait \$$1_pid"
	is "$2" "$(cat "$QUIRE_DIR/$1.end")" "quirectl: closed: $3"
}

#!/bin/sh
# A test that is interrupted takes its relay along, and tests/run its tests with
# all that they started.
# timeout: 240
# shellcheck disable=SC2016 # the command's variables are its own
. tests/lib/tap.sh
export QUIRE_B="${QUIRE_B:-.build}"
dir=$(mktemp -d) || exit 1
mkfifo "$dir/up" "$dir/script"

# gone PID: a zombie's parent has yet to look, but it runs no more.
gone()
{
	! grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null
}

[ -d /proc/self ] || { echo "no /proc to look in"; exit 77; }

"$QUIRE_B/tests/wire/serve" sh -c \
    'echo "$QUIRE_BROKER $QUIRE_LISTENER $QUIRE_DIR" >"$0"; exec sleep 1000' \
    "$dir/up" >"$dir/log" 2>&1 &
serve=$!
read -r broker listener home <"$dir/up"
! gone "$broker" && ! gone "$listener"
ok $? 'a relay runs'
kill -TERM "$serve"
wait "$serve"
is 'who serves it ends as its command does' "$?" 143
gone "$broker" && gone "$listener" && [ ! -e "$home" ]
ok $? 'nothing of the relay is left'

# A script that never ends, as one that waits would not.
"$QUIRE_B/tests/wire/wsplay" "$dir/script" >"$dir/log" 2>&1 &
player=$!
exec 3>"$dir/script"
echo 'token T store write' >&3
echo 'A connect /ws/store?token=$T' >&3
children()
{
	for pid in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		echo "$pid"
		children "$pid"
	done
}
relay() { [ "$(children "$player" | wc -l)" -ge 3 ]; }
soon relay
ok $? 'another runs for a player'
all=$(children "$player")
# shellcheck disable=SC2046 # as many as there are scripts: one
kill -TERM $(cat "/proc/$player/task/$player/children")
none() { for pid in $all; do gone "$pid" || return 1; done; }
soon none
ok $? 'it ends with the player'
exec 3>&-
wait "$player"

# --- tests/run ---------------------------------------------------------------

# A tree with two tests: one leaves processes behind, in its own session and in
# another, and ends when it is told to; the other is quick.
mkdir -p "$dir/top/tests/ops"
mkfifo "$dir/ids" "$dir/go"
cat >"$dir/top/tests/ops/left.sh" <<END
#!/bin/sh
sleep 1000 &
setsid sh -c 'sleep 1000 & echo \$\$ \$!; wait' >"$dir/away" &
until [ -s "$dir/away" ]; do sleep 0.1; done
echo "\$\$ \$! \$(cat "$dir/away")" >"$dir/ids"
read -r _ <"$dir/go"
END
printf '#!/bin/sh\n' >"$dir/top/tests/ops/quick.sh"
chmod 755 "$dir"/top/tests/ops/*
runner=$PWD/tests/run

# runs: the test that waits is under way, as $run, and its processes are $all.
runs()
{
	rm -f "$dir/away"
	QUIRE_TOP=$dir/top QUIRE_B=$dir/b "$runner" ops/left >"$dir/said" 2>&1 &
	run=$!
	read -r all <"$dir/ids"
}

mkdir -p "$dir/b/tests/ops"
ln -s "$(cd "$QUIRE_B" && pwd)/tests/ops/tether" "$dir/b/tests/ops/tether"
runs
is 'another run beside it' "$(QUIRE_TOP=$dir/top QUIRE_B=$dir/b "$runner" quick)" \
    "$(printf 'pass  ops/quick\n1 passed, 0 failed')"
echo >"$dir/go"
wait "$run"
is '... takes nothing away from it' "$(cat "$dir/said")" \
    "$(printf 'pass  ops/left\n1 passed, 0 failed')"
none
ok $? 'nothing of a test is left when it has ended'
for signal in TERM HUP KILL; do
	runs
	kill -$signal "$run"
	wait "$run" 2>/dev/null
	soon none
	ok $? "... nor when tests/run is sent a $signal"
done
# The one within, that would have seen to it.
runs
kill -KILL "$(children "$run" | head -n 1)"
wait "$run"
none
ok $? '... nor when what watches over it is killed'
rm -rf "$dir"
finished

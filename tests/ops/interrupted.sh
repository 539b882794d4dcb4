#!/bin/sh
# A test that is interrupted takes its relay along.
# shellcheck disable=SC2016 # the command's variables are its own
. tests/lib/tap.sh
export QUIRE_B="${QUIRE_B:-.build}"
dir=$(mktemp -d) || exit 1
mkfifo "$dir/up" "$dir/script"

# gone PID: a zombie's parent has yet to look, but it runs no more.
gone()
{
	[ ! -d "/proc/$1" ] || grep -q '^State:.Z' "/proc/$1/status"
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
	for pid in $(cat "/proc/$1/task/$1/children"); do
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
rm -rf "$dir"
finished

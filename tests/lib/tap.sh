# tap.sh, sourced: what a script needs to print TAP.
# shellcheck shell=sh
count=0 failed=0

# ok STATUS NAME
ok()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		failed=1
	fi
}

# is NAME FOUND WANTED
is()
{
	[ "$2" = "$3" ]
	ok $? "$1"
	[ "$2" = "$3" ] || echo "# found '$2', not '$3'"
}

# skip NAME WHY
skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# has NAME FILE PATTERN: a line that matches the extended regular expression.
has()
{
	grep -qE -e "$3" "$2"
	ok $? "$1"
	grep -qE -e "$3" "$2" || { 
		echo "# no '$3' in:"
		tail -n 20 "$2" | sed 's/^/# /'
	}
}

# soon COMMAND: tries until it succeeds, for a minute at most: who fails does so
# late, and who is only slow does not fail.
soon()
{
	tries=600
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

finished()
{
	echo "1..$count"
	exit $failed
}

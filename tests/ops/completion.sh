#!/bin/sh
# What the shells complete is what the usage says: every command, every option.
set -u
. tests/lib/tap.sh
ctl=${QUIRE_B:-$PWD/.build}/quirectl
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The commands of the usage as `name ... : options', both in order.
"$ctl" '-?' 2>&1 | sed -n 's/^.*\[-f conf\] //p; s/^	/@/p' |
    awk '/^@/ { last = last " " substr($0, 2); next }
	{ if (last != "") print last; last = $0 } END { print last }' |
    awk '{
	name = $1
	first = 2
	if ($1 == "token" || $1 == "keys") {
		name = name " " $2
		first = 3
	}
	options = ""
	for (i = first; i <= NF; i++)
		if ($i ~ /^\[?-[A-Za-z]\]?$/ && !seen[name, $i]++) {
			gsub(/[][]/, "", $i)
			options = options " " $i
		}
	print name ":" options }' >"$tmp/usage"
[ "$(wc -l <"$tmp/usage")" -gt 20 ]
ok $? 'the usage has commands'

# asked SHELL: what it completes, of each command, in the same form.
cat >"$tmp/bash" <<'END'
. "$1"
complete_after()
{
	COMP_WORDS=(quirectl "$@" '') COMP_CWORD=$(($# + 1)) COMPREPLY=()
	_quirectl
}
complete_after
heads=("${COMPREPLY[@]}")
for head in "${heads[@]}"; do
	complete_after "$head"
	case $head in
	token|keys)
		tails=("${COMPREPLY[@]}")
		for tail in "${tails[@]}"; do
			complete_after "$head" "$tail"
			echo "$head $tail: ${COMPREPLY[*]}"
		done ;;
	*)	echo "$head: ${COMPREPLY[*]}" ;;
	esac
done
COMP_WORDS=(quirectl -f some.conf sta) COMP_CWORD=3
_quirectl
[ "${COMPREPLY[*]}" = status ] || echo "after -f: ${COMPREPLY[*]}"
END

# plain: words that are no options are not in the usage's form.
plain()
{
	awk '{
		out = ""
		at = index($0, ":")
		n = split(substr($0, at + 1), w, " ")
		for (i = 1; i <= n; i++)
			if (w[i] ~ /^-/)
				out = out " " w[i]
		print substr($0, 1, at) out }'
}

for shell in bash zsh fish; do
	"$ctl" completion $shell >"$tmp/$shell.made"
	is "$shell: made" $? 0
	if ! command -v $shell >/dev/null; then
		skip "$shell: as the usage" "no $shell"
		continue
	fi
	case $shell in
	bash)	bash "$tmp/bash" "$tmp/bash.made" | plain >"$tmp/out"
		sort "$tmp/out" >"$tmp/sorted"
		is 'bash: as the usage' \
		    "$(sort "$tmp/usage" | diff - "$tmp/sorted")" '' ;;
	*)	$shell -n "$tmp/$shell.made"
		is "$shell: is well formed" $? 0 ;;
	esac
done

# The same table makes all three: each has each command.
for shell in zsh fish; do
	cut -d : -f 1 "$tmp/usage" | tr ' ' '\n' | sort -u |
	    while read -r word; do
		grep -qw -e "$word" "$tmp/$shell.made" || echo "$word"
	done >"$tmp/missing"
	is "$shell: has every command" "$(cat "$tmp/missing")" ''
done
"$ctl" completion tcsh 2>/dev/null
is 'another shell: 64' $? 64
finished

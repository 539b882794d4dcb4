#!/bin/sh
# The manual says what the tables say: every setting, message, field, code,
# dialect and option, and none that is gone.  What the sentences mean only a
# reader can check.
set -u
top=${QUIRE_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
bin=${QUIRE_B:-$top/.build}
cd "$top" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

count=0

# check NAME FILE: passes if the file is empty; its lines are what is wrong.
check()
{
	count=$((count + 1))
	if [ -s "$2" ]; then
		echo "not ok $count - $1"
		sed 's/^/#	/' "$2"
	else
		echo "ok $count - $1"
	fi
}

skip()
{
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

# rows FILE DEFINE ...: a table through the preprocessor, a row a line.
rows()
{
	def=$1
	shift
	{
		printf '#define %s\n' "$@"
		echo "#include \"$def\""
	} | ${CC:-cc} -std=c11 -E -P -I. - | grep .
}

# items PAGE: of every item a line: its head, a tab, its text; macros gone,
# blanks squeezed, lower case.
items()
{
	awk '
	function flush() {
		if (head != "")
			print head "\t" tolower(text)
		head = text = ""
	}
	/^\.\\"/ { next }
	/^\.(It|El|S[hs])/ {
		flush()
		if ($1 == ".It")
			head = substr($0, 5)
		next
	}
	/^\./	{ sub(/^\.[A-Za-z]+ */, ""); gsub(/ ([.,;:])/, "&@")
		  gsub(/ [.,;:]@/, "@&"); gsub(/@ /, ""); gsub(/@/, "") }
	{ text = text (text == "" ? "" : " ") $0 }
	END { flush() }' "$1"
}

# --- quire.conf.5 ------------------------------------------------------------

rows broker/config.def 'K(n) n##K' 'M(n) n##M' 'G(n) n##G' \
    'BOOL(n, d, h) n|BOOL|d|h' 'NUMBER(n, a, b, d, h) n|NUMBER|d|h|a|b' \
    'SIZE(n, a, b, d, h) n|SIZE|d|h|a|b' \
    'TIME_MS(n, a, b, d, h) n|TIME_MS|d|h|a|b' \
    'TIME_S(n, a, b, d, h) n|TIME_S|d|h|a|b' \
    'STRING(n, a, b, d, h) n|STRING|d|h|a|b' \
    'STRING_OF(n, a, b, d, c, h) n|STRING|d|h|a|b' \
    'PATH(n, a, b, d, h) n|PATH|d|h|a|b' 'ENUM(n, w, d, h) n|ENUM|d|h' \
    'LIST(n, m, h) n|LIST|-|h|0|m' 'LIST_OF(n, m, c, h) n|LIST|-|h|0|m' |
    sed 's/ *| */|/g; s/"//g' >"$tmp/settings"
items man/quire.conf.5 | sed -n 's/^Ic //p' >"$tmp/described"

# Each row has its item, which begins with the help and names the default and the
# limits.
awk -F '	' '
function time(n, unit,    i) {
	n *= unit == "S" ? 1000 : 1
	for (i = 5; i > 1 && (n == 0 || n % size[i] != 0); i--)
		;
	return n == 0 ? "0" : n % 1000 ? n "ms" : n / size[i] word[i]
}
BEGIN {
	split("1 1000 60000 3600000 86400000", size, " ")
	split("ms s m h d", word, " ")
}
NR == FNR { split($1, w, " "); text[w[1]] = $2; next }
{
	split($0, r, "|")
	name = r[1]; default = tolower(r[3]); help = tolower(r[4])
	if (default == "")
		default = "empty"
	if (!(name in text))
		print name ": not described"
	else if (index(text[name], help) != 1)
		print name ": does not begin with \"" help "\""
	else if (r[2] != "LIST" &&
	    !index(text[name], "the default is " default ";") &&
	    !index(text[name], "the default is " default "."))
		print name ": the default is not \"" default "\""
	limits = ""
	if (r[2] ~ /^(STRING|PATH)$/)
		limits = "; at most " r[6] " octets."
	else if (r[2] == "LIST")
		limits = "at most " r[6] " octets each."
	else if (r[2] ~ /^TIME/)
		limits = "; " time(r[5], substr(r[2], 6)) " to " \
		    time(r[6], substr(r[2], 6)) "."
	else if (r[2] ~ /^(NUMBER|SIZE)$/)
		limits = "; " tolower(r[5]) " to " tolower(r[6]) "."
	if (name in text && !index(text[name], limits))
		print name ": not \"" limits "\""
}' "$tmp/described" "$tmp/settings" >"$tmp/wrong" 2>&1
[ -s "$tmp/settings" ] || echo 'no settings found' >"$tmp/wrong"
check 'every setting is in quire.conf.5 with help, default and limits' \
    "$tmp/wrong"

cut -d '|' -f 1 "$tmp/settings" | sort >"$tmp/known"
sed 's/[ 	].*//' "$tmp/described" | sort | comm -13 "$tmp/known" - \
    >"$tmp/wrong"
check 'quire.conf.5 describes no setting that there is not' "$tmp/wrong"

sed -n '/reload_fixed_names\[\]/,/};/p' broker/reload.c | grep -o '"[a-z_]*"' |
    tr -d '"' | sort >"$tmp/fixed"
[ -s "$tmp/fixed" ] || echo 'none found' >"$tmp/fixed"
sed -n '/^These differ/,/^The files that/s/^\.Ic //p' man/quire.conf.5 |
    tr -d ' .' | tr , '\n' | grep . | sort | diff "$tmp/fixed" - >"$tmp/wrong"
check 'settings that a reload leaves are in quire.conf.5' "$tmp/wrong"
sort "$tmp/fixed" | comm -23 - "$tmp/known" >"$tmp/wrong"
check 'settings that a reload leaves are settings' "$tmp/wrong"

# Settings that nothing reads, those of absent dialects apart, are confessed.
# A member of that name counts as reading it, save where all are checked or
# packed for WELCOME, and so does a row of bounds.def.
rows common/dialects.def 'DIALECT(no, NAME, name) name served' \
    'DIALECT_NAMED(no, NAME, name) name absent' >"$tmp/dialects"
rows broker/bounds.def 'BOUND(n, a, b) a b' | tr ' ' '\n' >"$tmp/bounds"
find broker worker -name '*.c' ! -name config.c ! -path broker/settings.c \
    -exec cat {} + | grep -oE '(->|\.)[a-z][a-z0-9_]*' | tr -d '>.-' |
    sort -u - "$tmp/bounds" >"$tmp/members"
awk '
FILENAME == ARGV[1] { state[$1] = $2; next }
FILENAME == ARGV[2] { read[$1] = 1; next }
{ split($1, w, "_") }
!($1 in state) && state[w[1]] != "absent" && !($1 in read)
' "$tmp/dialects" "$tmp/members" "$tmp/known" | sort >"$tmp/idle"
sed -n '/^\.Sh CAVEATS/,/^\.Sh SEC/s/^\.Ic \([a-z_]*\) .*/\1/p' \
    man/quire.conf.5 | sort | diff "$tmp/idle" - >"$tmp/wrong"
check 'settings without effect are in the caveats of quire.conf.5' "$tmp/wrong"

# --- quire-ipc.7 -------------------------------------------------------------

# Both sides as `number NAME' and `NAME field TYPE max' lines, in order.
rows common/ipc.def \
    'MESSAGE(no, NAME, name, sender, states, scope) no NAME' \
    'FIELD(message, type, field, max) - field type max' |
    awk '$1 != "-" { m = $2 } { $1 = $1 == "-" ? m : $1; print }' \
    >"$tmp/messages"
awk '
/^\.Ss [0-9]+\. / { m = $3; print $2 + 0, m; next }
/^\.S[hs]/ { m = "" }
/^\.It Fa/ && m != "" { print m, $3, $5, $NF + 0 }' man/quire-ipc.7 \
    >"$tmp/described"
[ -s "$tmp/messages" ] || echo 'no messages found' >>"$tmp/messages"
diff "$tmp/messages" "$tmp/described" >"$tmp/wrong"
check 'messages and fields are in quire-ipc.7 as in ipc.def' "$tmp/wrong"

rows common/ipc.def \
    'MESSAGE(no, NAME, name, sender, states, scope) NAME sender states scope' \
    'FIELD(message, type, field, max)' | tr '|' ' ' | tr -s ' ' >"$tmp/gates"
awk '
/^\.Ss [0-9]+\. / { m = $3; text = ""; next }
m != "" && /^[A-Z]/ { text = text " " $0 }
m != "" && text ~ /\.$/ {
	sub(/^ From the /, "", text); sub(/ in state /, " ", text)
	gsub(/ or /, " ", text); sub(/ with (scope )?/, " ", text)
	sub(/ scope\.$/, ".", text); sub(/ no\.$/, " none.", text)
	gsub(/[,.]/, "", text)
	print m, toupper(text); m = ""
}' man/quire-ipc.7 | sed '/ BROKER /s/$/ NONE/' >"$tmp/described"
diff "$tmp/gates" "$tmp/described" >"$tmp/wrong"
check 'sender, states and scope are in quire-ipc.7 as in ipc.def' "$tmp/wrong"

rows common/codes.def 'CODE(no, NAME, name, text) no|name|text' |
    sed 's/ *| */|/g; s/ - /-/g; s/"//g; s/.*/\L&./' >"$tmp/codes"
items man/quire-ipc.7 | sed -n 's/^Em \([a-z-]*\) Pq \([0-9]*\)	/\2|\1|/p' \
    >"$tmp/described"
diff "$tmp/codes" "$tmp/described" >"$tmp/wrong"
check 'codes are in quire-ipc.7 as in codes.def' "$tmp/wrong"

rows common/settings.def 'NUMBER(name) name' 'TEXT(name) name' \
    'LIST(name) name' >"$tmp/told"
sed -n '/^\.Sh SETTINGS IN WELCOME/,/^\.Sh FILES/s/^\.Li \([a-z0-9_]*\) .*/\1/p' \
    man/quire-ipc.7 | diff "$tmp/told" - >"$tmp/wrong"
check 'what WELCOME tells is in quire-ipc.7 as in settings.def' "$tmp/wrong"

# --- quire-metrics.7 ---------------------------------------------------------

rows broker/metrics.def 'LABELS(n, a, b)' 'METRIC(n, T, L, v, h) n|T|L|h' \
    'HISTOGRAM(n, m, h) n|HISTOGRAM|NONE|h' |
    sed 's/ *| */|/g; s/"//g; s/.*/\L&/' >"$tmp/metrics"
items man/quire-metrics.7 | sed -n 's/^Li quire_//p' >"$tmp/described"
awk -F '	' '
NR == FNR { n[++rows] = $1; text[$1] = $2; next }
{
	split($0, r, "|")
	if (n[FNR] != r[1])
		print r[1] ": not described, or not in its place"
	else if (index(text[r[1]], "a " r[2] ": " r[4] ".") != 1)
		print r[1] ": does not begin with \"a " r[2] ": " r[4] ".\""
	else if ((r[3] == "none") != (text[r[1]] !~ /labels: /))
		print r[1] ": labels"
}
END { if (rows != FNR) print rows " described, " FNR " there" }
' "$tmp/described" "$tmp/metrics" >"$tmp/wrong" 2>&1
[ -s "$tmp/metrics" ] || echo 'no metrics found' >"$tmp/wrong"
check 'metrics are in quire-metrics.7 as in metrics.def' "$tmp/wrong"

sed 's/|.*//; s/^/quire_/' "$tmp/metrics" | sort >"$tmp/known"
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' man/quire-metrics.7 |
    grep -o 'quire_[a-z_]*' | sort -u >"$tmp/asked"
[ -s "$tmp/asked" ] || echo 'no examples found' >"$tmp/asked"
comm -13 "$tmp/known" "$tmp/asked" >"$tmp/wrong"
check 'what the examples of quire-metrics.7 ask for is there' "$tmp/wrong"

# --- quire-design.7 ----------------------------------------------------------

rows common/sandbox.def 'LAYER(bit, NAME, name, text) name' >"$tmp/layers"
sed -n '/^\.Ss What a process/,/^\.Ss Lib/s/^\.It Li \([a-z-]*\)$/\1/p' \
    man/quire-design.7 | diff "$tmp/layers" - >"$tmp/wrong"
check 'layers are in quire-design.7 as in sandbox.def' "$tmp/wrong"

# --- quire-dialects.7 --------------------------------------------------------

rows common/dialects.def 'DIALECT(no, NAME, name) name no served' \
    'DIALECT_NAMED(no, NAME, name) name no absent' >"$tmp/dialects"
awk '/^\.It [a-z]+ Ta [0-9]+ / {
	print $2, $4, /not part of this release/ ? "absent" : "served"
}' man/quire-dialects.7 | diff "$tmp/dialects" - >"$tmp/wrong"
check 'dialects are in quire-dialects.7 as in dialects.def' "$tmp/wrong"

# The lines of code in the walk through echo, blanks squeezed.
awk '
/^\.Sh/ { on = /OF ONE/ }
/^\.Ed/ { code = 0 }
on && code { print }
/^\.Bd -literal/ { code = 1 }' man/quire-dialects.7 | tr -s ' \t' ' ' |
    sed 's/^ //' >"$tmp/quoted"
cat broker/rule_echo.c worker/dialect_echo.c | tr -s ' \t' ' ' |
    sed 's/^ //' >"$tmp/source"
[ -s "$tmp/quoted" ] || echo 'no code found' >"$tmp/quoted"
while read -r line; do
	grep -qF -e "$line" "$tmp/source" || printf '%s\n' "$line"
done <"$tmp/quoted" >"$tmp/wrong"
check 'the code quoted in quire-dialects.7 is that of echo' "$tmp/wrong"

# --- the programs ------------------------------------------------------------

# Option letters of a usage message and of a page's synopsis, one a line.
usage_options()
{
	"$bin/$1" '-?' 2>&1 >/dev/null | grep -oE '(\[|[[:space:]])-[A-Za-z]+' |
	    sed 's/.*-//' | fold -w 1 | sort -u
}

page_options()
{
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "man/$1.8" |
	    grep -oE 'Fl [A-Za-z]+' | sed 's/Fl //' | fold -w 1 | sort -u
}

for p in quired quire-worker quirectl; do
	if [ ! -x "$bin/$p" ]; then
		skip "$p.8 has the options of $p" "$p is not built"
		continue
	fi
	usage_options $p >"$tmp/usage"
	page_options $p >"$tmp/page"
	[ -s "$tmp/usage" ] || echo 'no usage message' >"$tmp/usage"
	diff "$tmp/usage" "$tmp/page" >"$tmp/wrong"
	while read -r o; do
		grep -qE "^\.It.*Fl $o( |\$)" "man/$p.8" ||
		    echo "-$o is not described"
	done <"$tmp/page" >>"$tmp/wrong"
	check "$p.8 has the options of $p" "$tmp/wrong"
done

if [ -x "$bin/quirectl" ]; then
	"$bin/quirectl" '-?' 2>&1 >/dev/null |
	    sed -n 's/.*\[-f conf\] \([a-z-]*\).*/\1/p' | sort -u >"$tmp/usage"
	sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' man/quirectl.8 | sort -u \
	    >"$tmp/page"
	[ -s "$tmp/usage" ] || echo 'no usage message' >"$tmp/usage"
	diff "$tmp/usage" "$tmp/page" >"$tmp/wrong"
	check 'quirectl.8 has the commands of quirectl' "$tmp/wrong"
else
	skip 'quirectl.8 has the commands of quirectl' 'quirectl is not built'
fi

# words: of each command that is read, a line for each of its words, brackets
# and bars apart; of `token' and `keys' the second word is part of the name.
words()
{
	awk '{
		name = $1
		first = 2
		if (name == "token" || name == "keys") {
			name = name " " $2
			first = 3
		}
		gsub(/[][|]/, "")
		$0 = $0
		for (i = first; i <= NF; i++)
			print name ": " $i }' | sort -u
}

if [ -x "$bin/quirectl" ] && command -v mandoc >/dev/null; then
	"$bin/quirectl" '-?' 2>&1 | tr '\n' '@' | sed 's/@	/ /g' | tr '@' '\n' |
	    sed -n 's/^.*\[-f conf\] //p' | words >"$tmp/usage"
	mandoc -T ascii -O width=500 man/quirectl.8 | sed 's/.\x08//g' |
	    sed -n '/^SYNOPSIS/,/^DESC/s/^.*\[-f conf\] //p' | words >"$tmp/page"
	[ -s "$tmp/usage" ] || echo 'no usage message' >"$tmp/usage"
	diff "$tmp/usage" "$tmp/page" >"$tmp/wrong"
	check 'the synopsis of quirectl.8 is its usage, word for word' "$tmp/wrong"
else
	skip 'the synopsis of quirectl.8 is its usage' 'no quirectl or mandoc'
fi

# What status prints, from the table that makes it.
{
	echo version
	sed -n '/^control_status/,/^}/s/^.*{ "\([a-z_]*\)",.*/\1/p' broker/control.c
} | sort >"$tmp/figures"
sed -n '/^\.It Cm status/,/^\.It Cm stores/s/^\.It Li //p' man/quirectl.8 |
    tr -d ' ' | tr , '\n' | sort | diff "$tmp/figures" - >"$tmp/wrong"
check 'quirectl.8 has the figures of status' "$tmp/wrong"

# --- all pages ---------------------------------------------------------------

for f in man/*.[1-9]; do
	wanted='NAME DESCRIPTION EXAMPLES SEE_ALSO SECURITY_CONSIDERATIONS'
	case $f in
	*.8)	wanted="$wanted SYNOPSIS EXIT_STATUS FILES" ;;
	*.5)	wanted="$wanted FILES" ;;
	esac
	for s in $wanted; do
		grep -qx "\.Sh $(echo "$s" | tr _ ' ')" "$f" ||
		    echo "$f: no $s"
	done
	grep -oE '^\.Xr quire[a-z.-]* [0-9]' "$f" | while read -r _ page n; do
		[ -f "man/$page.$n" ] || echo "$f: no $page($n)"
	done
done >"$tmp/wrong"
check 'sections are complete and references lead somewhere' "$tmp/wrong"

if command -v mandoc >/dev/null && command -v makewhatis >/dev/null; then
	tests/lint-man man/*.[1-9] >"$tmp/wrong" 2>&1 ||
	    echo "status $?" >>"$tmp/wrong"
	check 'mandoc has nothing to say' "$tmp/wrong"
else
	skip 'mandoc has nothing to say' 'mandoc is not installed'
fi
echo "1..$count"

#!/bin/sh
# What compaction may not touch is named by it, with what came since the last
# look.
settings='compact_grace 0'
. tests/lib/server.sh
. tests/lib/tap.sh
command -v curl >/dev/null || { echo 'there is no curl'; exit 77; }
q="$QUIRE_B/quirectl -f $QUIRE_DIR/conf"
web=http${QUIRE_URL#ws}
block=11111111-1111-4111-8111-111111111111
ann=$($q token -s aaaaaaaa-0000-4000-8000-000000000001 -a '*' -S write -t 1h)

# post PATH JSON
post()
{
	curl -s "$web$1?token=$ann" -d "$2"
}

# change T DATOM: the change after t T
change()
{
	post "/sync/$graph/tx/batch" \
	    "{\"t-before\":$1,\"txs\":[\"[[\\\"~:db/add\\\",$2]]\"]}"
}

# word NAME: the figure behind it in the graph's line
word()
{
	sed -n "s/^logseq:.* $1 \\([0-9]*\\).* never\$/\\1/p" "$QUIRE_DIR/said"
}

graph=$(post /graphs '{"graph-name":"n","graph-e2ee?":false}' |
    sed 's/.*"graph-id":"\([^"]*\)".*/\1/')
change 0 "\\\"$block\\\",\\\"~:block/uuid\\\",\\\"~u$block\\\"" |
    grep -q tx/batch/ok
ok $? 'a graph has a change'
"$QUIRE_B/quirectl" send "$QUIRE_URL/ws/demo?token=$WRITE" patch
$q compact | grep -v '^done' >"$QUIRE_DIR/said"
is 'the graph has one record' "$(word records)" 1
first=$(word bytes)
is 'all of it is new' "$(word fresh)" "$first"
$q compact "logseq:$graph" >"$QUIRE_DIR/said"
is 'nothing came since' "$(word fresh)" 0
is 'nothing went' "$(word bytes)" "$first"
change 1 "[\\\"~:block/uuid\\\",\\\"~u$block\\\"],\\\"~:block/order\\\",\\\"a0\\\"" |
    grep -q tx/batch/ok
ok $? 'the graph has another'
$q compact >"$QUIRE_DIR/said"
is 'both are there' "$(word records)" 2
[ "$(word fresh)" -gt 0 ] && [ "$(word fresh)" -lt "$(word bytes)" ]
ok $? 'what came is told apart'
grep -q '^sds:demo dropped 0 records 1 bytes [0-9]* fresh 0$' "$QUIRE_DIR/said"
ok $? 'of another dialect nothing came, and nothing is said to stay for ever'
finished

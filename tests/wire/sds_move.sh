#!/bin/sh
# What the original server kept comes to a store here by the lines in
# quire-dialects(7), run as they stand there.
command -v sqlite3 >/dev/null || { echo 'no sqlite3 here'; exit 77; }
. tests/lib/server.sh
. tests/lib/tap.sh
PATH=$QUIRE_B:$PATH
file=$QUIRE_DIR/golden_db__.db
store='golden.db/ü'
key=$(printf 'aa%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 \
    21 22 23 24 25 26 27 28 29 30 31 32)
url="$QUIRE_URL/ws/golden.db%2F%C3%BC?token=$(quirectl -f "$QUIRE_DIR/conf" \
    token -s me -a "$store" -S write)"

# As release 0.0.9 writes it; another store shares the file, as they may.
sqlite3 "$file" "
    create table snapshots (store_id text primary key, data blob not null,
	clock integer not null);
    create table patches (store_id text not null, clock integer not null,
	data blob not null, primary key (store_id, clock));
    insert into snapshots values ('$store', x'${key}010203', 1795226977750),
	('golden.db-u', x'${key}ff', 1);
    insert into patches values ('$store', 1795226977841, x'30'),
	('$store', 1795226977780, x'1020'), ('$store', 1795226977811, x''),
	('golden.db-u', 1795226977800, x'ff')"
sed -n '/^\.\\" begin move$/,/^\.\\" end$/p' man/quire-dialects.7 |
    grep -v '^\.' >"$QUIRE_DIR/move"
. "$QUIRE_DIR/move"
ok $? 'the lines of the manual work'

quirectl listen "$url" >"$QUIRE_DIR/heard" 2>/dev/null &
listen=$!
all() { [ "$(wc -l <"$QUIRE_DIR/heard")" -ge 4 ]; }
soon all
kill "$listen"
is 'the store is what it was' "$(cat "$QUIRE_DIR/heard")" "VALUE ${key}010203
PATCH 1020
PATCH 
PATCH 0"
finished

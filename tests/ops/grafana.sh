#!/bin/sh
# The dashboard asks for every metric of the table and for none that is not
# there, with labels that it has; its panels do not lie over each other.
top=${QUIRE_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
cd "$top" || exit 1
. tests/lib/tap.sh
set -u
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

{
	printf '#define %s\n' 'LABELS(n, a, b) label a b' \
	    'METRIC(n, T, L, v, h) quire_##n' 'HISTOGRAM(n, m, h) quire_##n'
	echo '#include "broker/metrics.def"'
} | ${CC:-cc} -std=c11 -E -P -I. - >"$tmp/table"
grep -o '^quire_[a-z_]*' "$tmp/table" | sort >"$tmp/metrics"
node - etc/grafana.json "$tmp/used" "$tmp/labels" <<'END' >"$tmp/wrong" 2>&1
"use strict";
const fs = require("fs");
const board = JSON.parse(fs.readFileSync(process.argv[2]));
const panels = board.panels.filter((p) => p.type !== "row");
const queries = panels.flatMap((p) => p.targets);
const all = queries.map((q) => q.expr).join("\n");
const lines = (set) => [...set].sort().join("\n") + "\n";

fs.writeFileSync(process.argv[3], lines(new Set(
    all.match(/quire_\w+/g).map((n) => n.replace(/_(bucket|sum|count)$/, "")))));
fs.writeFileSync(process.argv[4], lines(new Set(queries.flatMap((q) =>
    [...q.legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1])))));
if (new Set(board.panels.map((p) => p.id)).size !== board.panels.length)
	console.log("an id twice");
board.panels.forEach((p, i) => board.panels.slice(i + 1).forEach((q) => {
	const [a, b] = [p.gridPos, q.gridPos];

	if (a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h &&
	    b.y < a.y + a.h)
		console.log(`${p.title} and ${q.title} overlap`);
	if (a.x + a.w > 24)
		console.log(`${p.title} is too wide`);
}));
for (const q of queries)
	if ((q.expr.match(/\(/g) || []).length !==
	    (q.expr.match(/\)/g) || []).length)
		console.log("brackets: " + q.expr);
END
[ $? -eq 0 ] && [ ! -s "$tmp/wrong" ]
ok $? 'it is a dashboard whose panels stand beside each other'
sed 's/^/# /' "$tmp/wrong"
[ -s "$tmp/metrics" ] && diff "$tmp/metrics" "$tmp/used" >"$tmp/wrong"
ok $? 'it has every metric of the table and no other'
sed 's/^/# /' "$tmp/wrong"
grep '^label ' "$tmp/table" | tr -d '"' | tr ' ' '\n' | sort -u |
    comm -13 - "$tmp/labels" >"$tmp/wrong"
[ -s "$tmp/labels" ] && [ ! -s "$tmp/wrong" ]
ok $? 'its legends name labels that there are'
sed 's/^/# /' "$tmp/wrong"
finished

// Reads Prometheus' text format 0.0.4 on standard input and holds it to that
// format's rules.  Complaints go to standard error, and what was found, a line
// `name type labels help' a metric in order, to standard output.
"use strict";

const text = require("fs").readFileSync(0, "utf8");
const metrics = new Map();
const seen = new Set();
let current = null;
let wrong = 0;

function bad(line, why)
{
	console.error(`${why}: ${line}`);
	wrong = 1;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/;
const VALUE = /^([+-]?Inf|NaN|[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?)$/;

function labelsOf(line, s)
{
	const labels = [];
	let m;

	while (s && (m = LABEL.exec(s))) {
		labels.push([m[1], m[2]]);
		s = s.slice(m[0].length);
	}
	if (s)
		bad(line, "labels");
	if (new Set(labels.map((l) => l[0])).size !== labels.length)
		bad(line, "a label twice");
	return labels;
}

function comment(line)
{
	const m = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);

	if (!m)
		return bad(line, "comment");
	if (m[1] === "HELP") {
		if (metrics.has(m[2]))
			bad(line, "HELP twice, or not together");
		current = { name: m[2], help: m[3], samples: [] };
		metrics.set(m[2], current);
	} else if (!current || current.name !== m[2] || current.type)
		bad(line, "TYPE without its HELP");
	else if (!/^(counter|gauge|histogram)$/.test(m[3]))
		bad(line, "type");
	else
		current.type = m[3];
}

function sample(line)
{
	const m = SAMPLE.exec(line);

	if (!m || !VALUE.test(m[3]))
		return bad(line, "sample");
	if (!current || !current.type)
		return bad(line, "sample before its TYPE");
	const suffix = m[1].slice(current.name.length);
	if (!m[1].startsWith(current.name) || !(current.type === "histogram"
	    ? ["_bucket", "_sum", "_count"] : [""]).includes(suffix))
		bad(line, "a sample of another metric");
	const key = m[1] + "{" + (m[2] || "") + "}";
	if (seen.has(key))
		bad(line, "twice");
	seen.add(key);
	const value = Number(m[3].replace("Inf", "Infinity"));
	if (current.type !== "gauge" && !(value >= 0))
		bad(line, "a count below 0");
	current.samples.push({ suffix, labels: labelsOf(line, m[2]), value });
}

function histogram(m)
{
	const of = (s) => m.samples.filter((x) => x.suffix === s);
	const buckets = of("_bucket");
	let le = -Infinity, n = 0;

	for (const b of buckets) {
		const bound = Number(b.labels[0][1].replace("Inf", "Infinity"));
		if (b.labels[0][0] !== "le" || !(bound > le) || b.value < n)
			bad(m.name, "buckets out of order");
		le = bound;
		n = b.value;
	}
	if (le !== Infinity || of("_sum").length !== 1 ||
	    of("_count").length !== 1 || of("_count")[0].value !== n)
		bad(m.name, "not a whole histogram");
}

if (!text.endsWith("\n"))
	bad("", "no newline at the end");
for (const line of text.slice(0, -1).split("\n"))
	line.startsWith("#") ? comment(line) : sample(line);
for (const m of metrics.values()) {
	if (!m.type || m.samples.length === 0)
		bad(m.name, "no samples");
	if ((m.type === "counter") !== m.name.endsWith("_total"))
		bad(m.name, "a name ends in _total if it is a counter's");
	if (m.type === "histogram")
		histogram(m);
	const labels = m.type === "histogram" ? [] :
	    (m.samples[0] ? m.samples[0].labels : []).map((l) => l[0]);
	console.log([m.name, m.type, labels.join(",") || "-", m.help].join(" "));
}
process.exit(wrong);

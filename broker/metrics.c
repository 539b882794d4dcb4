/*
 * Counting, and the text for Prometheus: the rows of metrics.def, each through
 * its expression.  How it gets to whom asks is control.c and web.c.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "broker/broker.h"
#include "broker/fanout.h"
#include "broker/lanes.h"
#include "broker/metrics.h"
#include "common/clock.h"

#define METRICS_LABELS_MAX 96

enum {
#define LAYER(bit, NAME, name, text) METRICS_##NAME = (bit),
#include "common/sandbox.def"
#undef LAYER
	METRICS_LAYERS
};

/* What expressions of the table see: taken once for all rows. */
struct metrics_view {
	struct broker *b;
	const struct metrics *m;
	const char *ready;
	struct kv_bdb_stat kv;
	uint64_t connections[DIALECT_COUNT];
	uint64_t messages[DIALECT_COUNT][METRICS_DIRECTIONS];
	uint64_t bytes[DIALECT_COUNT][METRICS_DIRECTIONS];
};

enum metrics_labels {
#define LABELS(NAME, first, second) LABELS_##NAME,
#define METRIC(name, TYPE, LABELS, value, help)
#define HISTOGRAM(name, member, help)
#include "broker/metrics.def"
#undef LABELS
#undef METRIC
	LABELS_COUNT
};

#define LABELS(NAME, first, second)
#define METRIC(name, TYPE, LABELS, value, help)                                \
	static uint64_t metrics_##name(const struct metrics_view *v,           \
	    unsigned int i, unsigned int j)                                    \
	{                                                                      \
		(void)v, (void)i, (void)j;                                     \
		return (value);                                                \
	}
#include "broker/metrics.def"
#undef LABELS
#undef METRIC
#undef HISTOGRAM

/* Where value is NULL it is a histogram: a member of struct metrics. */
struct metrics_row {
	const char *name;
	const char *type;
	enum metrics_labels labels;
	uint64_t (
	    *value)(const struct metrics_view *, unsigned int, unsigned int);
	size_t member;
	const char *help;
};

#define LABELS(NAME, first, second)
#define COUNTER "counter"
#define GAUGE	"gauge"
#define METRIC(name, TYPE, LABELS, value, help)                                \
	{ "quire_" #name, TYPE, LABELS_##LABELS, metrics_##name, 0, help },
#define HISTOGRAM(name, member, help)                                          \
	{ "quire_" #name, "histogram", LABELS_NONE, NULL,                      \
		offsetof(struct metrics, member), help },
static const struct metrics_row metrics_rows[] = {
#include "broker/metrics.def"
};
#undef LABELS
#undef METRIC
#undef HISTOGRAM

#define METRICS_ROWS (sizeof(metrics_rows) / sizeof(metrics_rows[0]))

/* A histogram's upper bounds, ended by 0, in units of which scale are one. */
struct metrics_bounds {
	double scale;
	uint64_t le[HISTOGRAM_BOUNDS_MAX + 1];
};

static const struct metrics_bounds metrics_batch_bounds = { 1,
	{ 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096 } };
static const struct metrics_bounds metrics_flush_bounds = { 1e6,
	{ 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	    500000, 1000000, 2500000, 5000000 } };

struct metrics_out {
	const struct metrics_view *v;
	const struct metrics_row *row;
	int first; /* of the row */
	metrics_each *each;
	void *arg;
};

static void metrics_look(struct broker *, struct metrics_view *);
static void metrics_row(struct metrics_out *);
static void metrics_value(struct metrics_out *, unsigned int, unsigned int);
static void metrics_say(struct metrics_out *, const char *suffix,
    const char *labels, double value);
static unsigned int metrics_words(enum metrics_labels, unsigned int which);
static const char *metrics_word(const char *label, unsigned int, char *,
    size_t);
static int metrics_wanted(const struct metrics_out *, unsigned int);
static void metrics_histogram(struct metrics_out *);
static void histogram_add(struct histogram *, const struct metrics_bounds *,
    uint64_t);
static metrics_each metrics_line;

static const char *const metrics_labels[LABELS_COUNT][2] = {
#define LABELS(NAME, first, second) { first, second },
#define METRIC(name, TYPE, LABELS, value, help)
#define HISTOGRAM(name, member, help)
#include "broker/metrics.def"
};

void
metrics_start(struct broker *b)
{
	b->metrics.started_s = (int64_t)time(NULL);
}

void
metrics_refused(struct broker *b, enum code code)
{
	b->count.refused++;
	b->metrics.refusals[code < CODE_COUNT ? code : CODE_OK]++;
}

void
metrics_batch(struct broker *b, uint64_t operations)
{
	histogram_add(&b->metrics.batch, &metrics_batch_bounds, operations);
}

void
metrics_flush(struct broker *b)
{
	b->metrics.commit_us = clock_us();
}

void
metrics_flushed(struct broker *b)
{
	histogram_add(&b->metrics.flush, &metrics_flush_bounds,
	    (uint64_t)(clock_us() - b->metrics.commit_us));
}

const char *
metrics_unready(struct broker *b)
{
	if (b->stopping)
		return ("stopping");
	if (kv_bdb_failed(b->kv))
		return ("the store has failed");
	if (space_low(b))
		return ("the disk is full");
	if (b->nsessions >= (size_t)b->conf->sessions_max)
		return ("sessions_max are there");
	return (NULL);
}

void
metrics_text(struct broker *b, struct buf *out)
{
	metrics_walk(b, metrics_line, out);
}

void
metrics_walk(struct broker *b, metrics_each *each, void *arg)
{
	struct metrics_view v;
	struct metrics_out out = { .v = &v, .each = each, .arg = arg };
	size_t i;

	metrics_look(b, &v);
	for (i = 0; i < METRICS_ROWS; i++) {
		out.row = &metrics_rows[i];
		out.first = 1;
		metrics_row(&out);
	}
}

static void
metrics_look(struct broker *b, struct metrics_view *v)
{
	struct fanout_count *lanes = lanes_counted(b->lanes);
	const struct session *s;
	size_t i;

	memset(v, 0, sizeof(*v));
	v->b = b;
	v->m = &b->metrics;
	v->ready = metrics_unready(b);
	kv_bdb_stat(b->kv, &v->kv);
	memcpy(v->messages, b->metrics.messages, sizeof(v->messages));
	memcpy(v->bytes, b->metrics.bytes, sizeof(v->bytes));
	for (i = 0; lanes != NULL && i < DIALECT_COUNT; i++) {
		v->messages[i][METRICS_OUT] += lanes->messages[i];
		v->bytes[i][METRICS_OUT] += lanes->bytes[i];
	}
	TAILQ_FOREACH(s, &b->sessions, entry)
		v->connections[s->dialect] += !s->listener;
}

static void
metrics_row(struct metrics_out *o)
{
	unsigned int i, j, n = metrics_words(o->row->labels, 0);
	unsigned int m = metrics_words(o->row->labels, 1);

	if (o->row->value == NULL) {
		metrics_histogram(o);
		return;
	}
	for (i = 0; i < n; i++)
		for (j = 0; j < m; j++)
			if (metrics_wanted(o, i))
				metrics_value(o, i, j);
}

static void
metrics_value(struct metrics_out *o, unsigned int i, unsigned int j)
{
	const char *const *label = metrics_labels[o->row->labels];
	char text[METRICS_LABELS_MAX] = "", a[32], b[32];

	if (label[1][0] != '\0')
		snprintf(text, sizeof(text), "%s=\"%s\",%s=\"%s\"", label[0],
		    metrics_word(label[0], i, a, sizeof(a)), label[1],
		    metrics_word(label[1], j, b, sizeof(b)));
	else if (label[0][0] != '\0')
		snprintf(text, sizeof(text), "%s=\"%s\"", label[0],
		    metrics_word(label[0], i, a, sizeof(a)));
	metrics_say(o, "", text, (double)o->row->value(o->v, i, j));
}

static void
metrics_say(struct metrics_out *o, const char *suffix, const char *labels,
    double value)
{
	const struct metrics_sample sample = { o->row->name, suffix, labels,
		o->row->type, o->row->help, o->first, value };

	o->each(&sample, o->arg);
	o->first = 0;
}

/* How many words a label has. */
static unsigned int
metrics_words(enum metrics_labels labels, unsigned int which)
{
	const char *label = metrics_labels[labels][which];

	if (strcmp(label, "dialect") == 0)
		return (DIALECT_COUNT);
	if (strcmp(label, "direction") == 0)
		return (METRICS_DIRECTIONS);
	if (strcmp(label, "code") == 0)
		return (CODE_COUNT);
	return (strcmp(label, "layer") == 0 ? METRICS_LAYERS : 1);
}

static const char *
metrics_word(const char *label, unsigned int i, char *buffer, size_t size)
{
	static const char *const directions[] = { "in", "out" };

	if (strcmp(label, "dialect") == 0)
		return (dialect_name(i));
	if (strcmp(label, "direction") == 0)
		return (directions[i]);
	if (strcmp(label, "code") == 0)
		return (code_name(i));
	if (strcmp(label, "layer") == 0)
		return (sandbox_names(buffer, size, 1u << i));
	return (QUIRE_VERSION);
}

/* There is no refusal of the code ok, and no layer that nobody asked for. */
static int
metrics_wanted(const struct metrics_out *o, unsigned int i)
{
	if (o->row->labels == LABELS_CODE)
		return (i != CODE_OK);
	if (o->row->labels == LABELS_LAYER)
		return ((o->v->m->sandbox.wanted >> i & 1) != 0);
	return (1);
}

/* Each bucket holds those below it as well. */
static void
metrics_histogram(struct metrics_out *o)
{
	const struct histogram *h =
	    (const void *)((const char *)o->v->m + o->row->member);
	const struct metrics_bounds *bounds = h == &o->v->m->batch
	    ? &metrics_batch_bounds
	    : &metrics_flush_bounds;
	uint64_t sum = 0;
	char le[32];
	size_t i;

	for (i = 0; bounds->le[i] != 0; i++) {
		sum += h->count[i];
		snprintf(le, sizeof(le), "le=\"%g\"",
		    (double)bounds->le[i] / bounds->scale);
		metrics_say(o, "_bucket", le, (double)sum);
	}
	sum += h->count[i];
	metrics_say(o, "_bucket", "le=\"+Inf\"", (double)sum);
	metrics_say(o, "_sum", "", (double)h->sum / bounds->scale);
	metrics_say(o, "_count", "", (double)sum);
}

static void
histogram_add(struct histogram *h, const struct metrics_bounds *bounds,
    uint64_t value)
{
	size_t i = 0;

	while (bounds->le[i] != 0 && value > bounds->le[i])
		i++;
	h->count[i]++;
	h->sum += value;
}

static void
metrics_line(const struct metrics_sample *s, void *arg)
{
	struct buf *out = arg;

	if (s->first)
		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", s->name,
		    s->help, s->name, s->type);
	buf_printf(out, "%s%s", s->name, s->suffix);
	if (s->labels[0] != '\0')
		buf_printf(out, "{%s}", s->labels);
	buf_printf(out, " %.15g\n", s->value);
}

/* Pages gathered, sorted and answered. */
#include <stdlib.h>

#include "common/logseq_index.h"
#include "worker/logseq_body.h"
#include "worker/logseq_listing.h"

struct listing_row {
	uint64_t order;
	struct bytes row; /* in rows */
};

struct listing {
	const struct listing_kind *kind;
	struct buf rows; /* a list */
	struct buf last; /* key of the last one */
	size_t n;
	uint64_t flag;
};

static void listing_ask(struct logseq_web *);
static int listing_add(struct listing *, struct bytes info, uint64_t *more);
static void listing_reply(struct logseq_web *);
static struct listing_row *listing_sorted(const struct listing *);
static int listing_older(const void *, const void *);
static int listing_newer(const void *, const void *);

void
logseq_listing_start(struct logseq_web *w, const struct listing_kind *kind)
{
	struct listing *l;

	if ((l = w->job = calloc(1, sizeof(*l))) == NULL) {
		conn_starved(w->conn);
		logseq_refuse(w, CODE_BUSY);
		return;
	}
	l->kind = kind;
	listing_ask(w);
}

void
logseq_listing_verdict(struct logseq_web *w, const struct verdict_in *v)
{
	uint64_t more = 0;

	if (v->code != CODE_OK)
		logseq_refuse(w, v->code);
	else if (listing_add(w->job, v->info, &more) == -1)
		logseq_refuse(w, CODE_STORAGE);
	else if (more)
		listing_ask(w);
	else
		listing_reply(w);
}

void
logseq_listing_free(void *job)
{
	struct listing *l = job;

	buf_free(&l->rows);
	buf_free(&l->last);
	free(l);
}

static void
listing_ask(struct logseq_web *w)
{
	const struct listing *l = w->job;
	const struct submit_out out = { .verb = l->kind->verb,
		.ref = buf_bytes(&l->last) };

	logseq_submit(w, &out);
}

/* An empty page that promises more would be asked for for ever. */
static int
listing_add(struct listing *l, struct bytes info, uint64_t *more)
{
	struct bytes row, key = BYTES_NONE;
	uint64_t order;

	if (logseq_list_next_u64(&info, more) == -1 ||
	    (l->kind->flag != NULL &&
		logseq_list_next_u64(&info, &l->flag) == -1))
		return (-1);
	while (list_next(&info, &row) == 1) {
		if (l->kind->read(row, &key, &order) == -1)
			return (-1);
		list_add(&l->rows, row);
		l->n++;
	}
	buf_clear(&l->last);
	buf_add_bytes(&l->last, key);
	return (l->rows.failed || l->last.failed || info.n != 0 ||
		    (*more && key.n == 0)
		? -1
		: 0);
}

static void
listing_reply(struct logseq_web *w)
{
	const struct listing *l = w->job;
	struct listing_row *sorted = listing_sorted(l);
	struct buf json = BUF_INIT;
	size_t i;

	if (sorted == NULL) {
		conn_starved(w->conn);
		logseq_refuse(w, CODE_BUSY);
		return;
	}
	buf_printf(&json, "{\"%s\":[", l->kind->name);
	for (i = 0; i < l->n; i++) {
		buf_add_str(&json, i == 0 ? "{" : ",{");
		l->kind->write(&json, sorted[i].row, w);
		buf_add_u8(&json, '}');
	}
	buf_add_u8(&json, ']');
	if (l->kind->flag != NULL)
		logseq_body_add_bool(&json, l->kind->flag, l->flag);
	buf_add_u8(&json, '}');
	logseq_body_reply(w, &json);
	buf_free(&json);
	free(sorted);
}

static struct listing_row *
listing_sorted(const struct listing *l)
{
	struct listing_row *sorted = calloc(l->n + 1, sizeof(*sorted));
	struct bytes rest = buf_bytes(&l->rows), key;
	size_t i;

	if (sorted == NULL)
		return (NULL);
	for (i = 0; i < l->n && list_next(&rest, &sorted[i].row) == 1; i++)
		l->kind->read(sorted[i].row, &key, &sorted[i].order);
	qsort(sorted, l->n, sizeof(*sorted),
	    l->kind->newest_first ? listing_newer : listing_older);
	return (sorted);
}

/* Of one time: as they came, so that the order is always the same. */
static int
listing_older(const void *a, const void *b)
{
	const struct listing_row *x = a, *y = b;

	if (x->order != y->order)
		return (x->order < y->order ? -1 : 1);
	return (x->row.p < y->row.p ? -1 : x->row.p > y->row.p);
}

static int
listing_newer(const void *a, const void *b)
{
	return (listing_older(b, a));
}

/*
 * What goes into a graph's checksum (logseq.md, sections 5.4 and 7.5), for
 * people who look for a difference: the entities that have a uuid, built-in
 * ones left out, with the attributes that count.  References are entity ids.
 */
#include <stdlib.h>

#include "common/wire.h"
#include "worker/logseq_checksum.h"
#include "worker/logseq_tx.h"

#define CHECKSUM_ATTRS (sizeof(checksum_attrs) / sizeof(*checksum_attrs))

struct checksum {
	struct logseq_web *web;
	uint64_t gen;
	uint64_t e; /* the entity under way */
	int named;  /* it has a uuid */
	int hidden; /* it is built in */
	uint64_t blocks;
	struct buf block; /* its members so far */
	struct buf name;
	struct buf from; /* last key of the last page */
	struct buf out;
	int waiting; /* for the client to take what is queued */
};

static void checksum_start(struct logseq_web *);
static void checksum_fetched(struct logseq_web *, const struct fetched_in *);
static void checksum_drained(struct logseq_web *);
static void checksum_free(void *);
static void checksum_next(struct checksum *);
static int checksum_datom(struct checksum *, const struct entry *);
static void checksum_member(struct checksum *, const struct logseq_datom *);
static void checksum_flush(struct checksum *);

static const char *const checksum_attrs[] = { "block/uuid", "block/parent",
	"block/page", "block/order", "block/title", "block/name" };

const struct logseq_steps logseq_checksum_steps = {
	.start = checksum_start,
	.fetched = checksum_fetched,
	.drained = checksum_drained,
	.free = checksum_free,
};

static void
checksum_start(struct logseq_web *w)
{
	struct checksum *k;
	size_t i;

	if (!w->state.ready) {
		logseq_refuse(w, CODE_NOT_READY);
		return;
	}
	if ((k = w->job = calloc(1, sizeof(*k))) == NULL) {
		logseq_refuse(w, CODE_BUSY);
		return;
	}
	k->web = w;
	k->gen = w->state.gen;
	buf_printf(&k->out, "{\"e2ee?\":%s", w->state.e2ee ? "true" : "false");
	logseq_tx_sum(&k->out, w->state.sum);
	for (i = 0; i < CHECKSUM_ATTRS; i++)
		buf_printf(&k->out, "%s\"%s\"", i == 0 ? ",\"attrs\":[" : ",",
		    checksum_attrs[i]);
	buf_add_str(&k->out, "],\"blocks\":[");
	logseq_begin(w, 200, "application/json", NULL, UINT64_MAX);
	checksum_next(k);
}

static void
checksum_fetched(struct logseq_web *w, const struct fetched_in *f)
{
	struct checksum *k = w->job;
	struct bytes in = f->entries;
	struct entry e;
	int r = -1;

	while (f->code == CODE_OK && (r = entry_unpack(&in, &e)) == 1) {
		if (checksum_datom(k, &e) == -1) {
			r = -1;
			break;
		}
		if (in.n == 0) {
			buf_clear(&k->from);
			buf_add_bytes(&k->from, e.key);
		}
	}
	if (r == 0 && !f->more) {
		checksum_flush(k);
		buf_add_str(&k->out, "]}");
	}
	if (r == -1 || k->out.failed || k->block.failed || k->from.failed) {
		logseq_end(w, 1);
		return;
	}
	if (f->more) {
		checksum_next(k);
		return;
	}
	logseq_data(w, buf_bytes(&k->out));
	logseq_end(w, 0);
}

static void
checksum_drained(struct logseq_web *w)
{
	struct checksum *k = w->job;

	if (k != NULL && k->waiting)
		checksum_next(k);
}

static void
checksum_free(void *job)
{
	struct checksum *k = job;

	buf_free(&k->block);
	buf_free(&k->name);
	buf_free(&k->from);
	buf_free(&k->out);
	free(k);
}

/* Sends what there is, and asks for the next page when it was taken. */
static void
checksum_next(struct checksum *k)
{
	uint8_t prefix[LOGSEQ_PREFIX_LEN];

	logseq_data(k->web, buf_bytes(&k->out));
	buf_clear(&k->out);
	k->waiting = conn_queued(k->web->conn) >= CONN_LOW_BYTES;
	if (k->waiting)
		return;
	logseq_prefix(prefix, LOGSEQ_REG_EAVT, k->gen);
	logseq_fetch(k->web, 1, FETCH_RECORDS, 0, 0,
	    bytes_of(prefix, sizeof(prefix)), buf_bytes(&k->from));
}

static int
checksum_datom(struct checksum *k, const struct entry *e)
{
	struct logseq_datom d;
	size_t i;

	buf_clear(&k->name);
	if (logseq_datom_of_reg(e->key, e->body, &d) == -1 ||
	    logseq_attr_name(&k->name, d.a) == -1)
		return (-1);
	if (d.e != k->e) {
		checksum_flush(k);
		k->e = d.e;
	}
	if (bytes_eq(buf_bytes(&k->name),
		BYTES_LIT("logseq.property/built-in?")))
		k->hidden |= d.v.type == LOGSEQ_BOOL && d.v.b.p[0] != 0;
	for (i = 0; i < CHECKSUM_ATTRS; i++)
		if (bytes_eq(buf_bytes(&k->name),
			bytes_str(checksum_attrs[i]))) {
			k->named |= i == 0;
			checksum_member(k, &d);
		}
	return (0);
}

static void
checksum_member(struct checksum *k, const struct logseq_datom *d)
{
	buf_add_str(&k->block, ",\"");
	buf_add_bytes(&k->block, buf_bytes(&k->name));
	buf_add_str(&k->block, "\":");
	if (d->v.type == LOGSEQ_UUID || d->v.type == LOGSEQ_STRING)
		json_quote(&k->block, d->v.b);
	else
		logseq_value_text(&k->block, &d->v);
}

static void
checksum_flush(struct checksum *k)
{
	if (k->named && !k->hidden) {
		buf_printf(&k->out, "%s{\"db/id\":%llu",
		    k->blocks++ == 0 ? "" : ",", (unsigned long long)k->e);
		buf_add_bytes(&k->out, buf_bytes(&k->block));
		buf_add_u8(&k->out, '}');
	}
	k->named = k->hidden = 0;
	buf_clear(&k->block);
}

/*
 * The jobs as steps: what the client knows, the chain since then, the records.
 * A page is kept while the blob of one of its entries is fetched in between.
 */
#include "worker/secsync_load.h"

/* Octets of a fragment, give or take what was fetched at once. */
#define LOAD_FRAGMENT ((size_t)64 * 1024)

static void load_begin(struct secsync_load *, enum secsync_form, uint64_t);
static void load_state(struct secsync_load *, const struct secsync_head *,
    const struct secsync_known *);
static void load_ask(struct secsync_load *);
static void load_log(struct secsync_load *);
static enum code load_page(struct secsync_load *, const struct fetched_in *);
static enum code load_slice(struct secsync_load *, const struct fetched_in *);
static enum code load_run(struct secsync_load *);
static int load_entry(struct secsync_load *);
static int load_chain(struct secsync_load *, const struct entry *);
static int load_known(struct secsync_load *, const struct entry *);
static int load_record(struct secsync_load *, const struct entry *);
static int load_newer(const struct secsync_load *, struct bytes stamp);
static void load_open(struct secsync_load *, const struct entry *);
static int load_flush(struct secsync_load *, int last);
static enum code load_step_end(struct secsync_load *);
static enum code load_end(struct secsync_load *);
static void load_member(struct buf *, const char *name, struct bytes value);

void
secsync_load_init(struct secsync_load *l, struct conn *c)
{
	memset(l, 0, sizeof(*l));
	l->conn = c;
}

void
secsync_load_free(struct secsync_load *l)
{
	buf_free(&l->cursor);
	buf_free(&l->page);
	buf_free(&l->frame);
}

enum code
secsync_load_document(struct secsync_load *l, const struct secsync_head *head,
    uint64_t upto, const struct secsync_known *known)
{
	load_begin(l, SECSYNC_FORM_DOCUMENT, upto);
	buf_add_str(&l->frame, "{\"type\":\"document\",");
	if (head == NULL) {
		buf_add_str(&l->frame,
		    "\"snapshotProofChain\":[],\"updates\":[");
		return (load_end(l));
	}
	load_state(l, head, known);
	return (CODE_OK);
}

void
secsync_load_outdated(struct secsync_load *l, const struct secsync_head *head,
    uint64_t upto, const struct secsync_known *known)
{
	load_begin(l, SECSYNC_FORM_OUTDATED, upto);
	buf_add_str(&l->frame, "{\"type\":\"snapshot-save-failed\",");
	load_state(l, head, known);
}

void
secsync_load_misses(struct secsync_load *l, uint64_t head, uint64_t upto)
{
	load_begin(l, SECSYNC_FORM_MISSES, upto);
	l->head = l->after = head;
	buf_add_str(&l->frame, "{\"type\":\"snapshot-save-failed\",");
	load_log(l);
}

void
secsync_load_record(struct secsync_load *l, uint64_t seq)
{
	load_begin(l, SECSYNC_FORM_RELAY, seq);
	l->after = seq - 1;
	l->step = SECSYNC_LOAD_LOG;
	load_ask(l);
}

void
secsync_load_signal(struct secsync_load *l, const struct entry *e)
{
	load_begin(l, SECSYNC_FORM_SIGNAL, conn_seq(l->conn));
	buf_add_str(&l->frame, "{\"type\":\"ephemeral-message\",");
	l->close = "}";
	l->pull = (struct pull){ e->blob, e->size, 0 };
	l->step = SECSYNC_LOAD_LOG;
	l->last = 1;
	load_ask(l);
}

enum code
secsync_load_fetched(struct secsync_load *l, const struct fetched_in *f)
{
	enum code code;

	if (l->step == SECSYNC_LOAD_IDLE)
		return (CODE_OK);
	if (f->code == CODE_NOT_FOUND && l->form == SECSYNC_FORM_SIGNAL)
		return (CODE_COMPACTED);
	if (f->code != CODE_OK)
		return (f->code);
	code = pull_active(&l->pull) ? load_slice(l, f) : load_page(l, f);
	return (code == CODE_OK ? load_run(l) : code);
}

void
secsync_load_drained(struct secsync_load *l)
{
	if (l->waiting)
		load_ask(l);
}

static void
load_begin(struct secsync_load *l, enum secsync_form form, uint64_t upto)
{
	conn_pause(l->conn);
	secsync_load_free(l);
	secsync_load_init(l, l->conn);
	l->form = form;
	l->upto = upto;
}

/* Snapshot, updates and chain, by what is known of them (section 6). */
static void
load_state(struct secsync_load *l, const struct secsync_head *head,
    const struct secsync_known *known)
{
	int same;

	l->known = known;
	l->head = head->seq;
	l->after = head->seq - 1;
	same = bytes_eq(buf_bytes(&known->id), head->id);
	l->trim = same;
	if (same && known->delta)
		l->after = head->seq;
	else
		buf_add_str(&l->frame, "\"snapshotProofChain\":[");
	if (known->id.len == 0 || same) {
		if (!same || !known->delta)
			buf_add_str(&l->frame, "],");
		load_log(l);
		return;
	}
	buf_add_u8(&l->cursor, SECSYNC_REG_ID);
	buf_add_bytes(&l->cursor, buf_bytes(&known->id));
	l->step = SECSYNC_LOAD_KNOWN;
	load_ask(l);
}

/* Where updates begin: after the snapshot, or at once if it is left out. */
static void
load_log(struct secsync_load *l)
{
	l->step = SECSYNC_LOAD_LOG;
	if (l->after >= l->head)
		buf_add_str(&l->frame, "\"updates\":[");
	load_ask(l);
}

static void
load_ask(struct secsync_load *l)
{
	static const uint8_t chain[] = { SECSYNC_REG_CHAIN };

	l->waiting = conn_queued(l->conn) >= CONN_LOW_BYTES;
	if (l->waiting)
		return;
	if (pull_active(&l->pull))
		pull_ask(&l->pull, l->conn, 0);
	else if (l->step == SECSYNC_LOAD_LOG)
		conn_fetch(l->conn, 0, FETCH_LOG, l->after, l->upto, BYTES_NONE,
		    BYTES_NONE);
	else if (l->step == SECSYNC_LOAD_KNOWN)
		conn_fetch(l->conn, 0, FETCH_RECORDS, 0, 0,
		    buf_bytes(&l->cursor), BYTES_NONE);
	else
		conn_fetch(l->conn, 0, FETCH_RECORDS, 0, 0,
		    bytes_of(chain, sizeof(chain)), buf_bytes(&l->cursor));
}

static enum code
load_page(struct secsync_load *l, const struct fetched_in *f)
{
	/* More without anything now would never end. */
	if (f->more && f->entries.n == 0)
		return (CODE_STORAGE);
	/* Longer ids with the same beginning are of no interest. */
	l->last = !f->more || l->step == SECSYNC_LOAD_KNOWN;
	l->used = 0;
	buf_clear(&l->page);
	return (
	    buf_add_bytes(&l->page, f->entries) == -1 ? CODE_BUSY : CODE_OK);
}

static enum code
load_slice(struct secsync_load *l, const struct fetched_in *f)
{
	struct bytes slice;

	if (pull_take(&l->pull, f, &slice) == -1)
		return (CODE_STORAGE);
	buf_add_bytes(&l->frame, slice);
	if (!pull_active(&l->pull))
		buf_add_str(&l->frame, l->close);
	return (CODE_OK);
}

static enum code
load_run(struct secsync_load *l)
{
	int r = 1;

	while (r == 1 && !pull_active(&l->pull))
		r = load_entry(l);
	if (r == -1 || l->frame.failed || l->cursor.failed)
		return (r == -1 ? CODE_STORAGE : CODE_BUSY);
	if (l->frame.len >= LOAD_FRAGMENT && load_flush(l, 0) == -1)
		return (CODE_STORAGE);
	if (r == 0 && l->last)
		return (load_step_end(l));
	load_ask(l);
	return (CODE_OK);
}

/* The next entry of the page: 1; 0: there is none; -1: malformed. */
static int
load_entry(struct secsync_load *l)
{
	struct bytes rest = bytes_skip(buf_bytes(&l->page), l->used);
	size_t before = rest.n;
	struct entry e;
	int r;

	if ((r = entry_unpack(&rest, &e)) != 1)
		return (r);
	l->used += before - rest.n;
	if (l->step == SECSYNC_LOAD_KNOWN)
		return (load_known(l, &e));
	if (l->step == SECSYNC_LOAD_CHAIN)
		return (load_chain(l, &e));
	return (load_record(l, &e));
}

/* The number found becomes `after` of the chain; the cursor says it is one. */
static int
load_known(struct secsync_load *l, const struct entry *e)
{
	uint8_t from[9] = { SECSYNC_REG_CHAIN };

	if (!bytes_eq(e->key, buf_bytes(&l->cursor)))
		return (1);
	if (e->body.n != 8)
		return (-1);
	memcpy(from + 1, e->body.p, 8);
	buf_clear(&l->cursor);
	buf_add(&l->cursor, from, sizeof(from));
	l->step = SECSYNC_LOAD_CHAIN;
	l->last = 0;
	l->used = l->page.len;
	return (1);
}

static int
load_chain(struct secsync_load *l, const struct entry *e)
{
	struct bytes link = e->body, id, proof, hash;

	if (e->key.n != 9 || list_next(&link, &id) != 1 ||
	    list_next(&link, &proof) != 1 || list_next(&link, &hash) != 1)
		return (-1);
	buf_clear(&l->cursor);
	buf_add_bytes(&l->cursor, e->key);
	/* A snapshot newer than what this client opened. */
	if (be64_get(e->key.p + 1) > l->head)
		return (1);
	buf_add_str(&l->frame, l->records++ > 0 ? ",{" : "{");
	load_member(&l->frame, "\"snapshotId\":\"", id);
	load_member(&l->frame, ",\"parentSnapshotProof\":\"", proof);
	load_member(&l->frame, ",\"snapshotCiphertextHash\":\"", hash);
	buf_add_u8(&l->frame, '}');
	return (1);
}

static int
load_record(struct secsync_load *l, const struct entry *e)
{
	struct bytes text = e->body;

	l->after = e->seq;
	if (e->kind == SECSYNC_UPDATE) {
		if (text.n < SECSYNC_STAMP_LEN)
			return (-1);
		if (l->trim && !load_newer(l, text))
			return (1);
		text = bytes_skip(text, SECSYNC_STAMP_LEN);
	}
	load_open(l, e);
	buf_add_bytes(&l->frame, text);
	if ((e->flags & ENTRY_BLOB) != 0 && e->size > 0)
		l->pull = (struct pull){ e->blob, e->size, 0 };
	else
		buf_add_str(&l->frame, l->close);
	return (1);
}

/* What stands before a record's text; l->close is what stands after it. */
static void
load_open(struct secsync_load *l, const struct entry *e)
{
	if (l->form == SECSYNC_FORM_RELAY) {
		buf_add_str(&l->frame,
		    e->kind == SECSYNC_SNAPSHOT
			? "{\"type\":\"snapshot\",\"snapshot\":{"
			: "{\"type\":\"update\",");
		l->close = e->kind == SECSYNC_SNAPSHOT ? "}}" : "}";
	} else if (e->kind == SECSYNC_SNAPSHOT) {
		buf_add_str(&l->frame, "\"snapshot\":{");
		l->close = "},\"updates\":[";
	} else {
		buf_add_str(&l->frame, l->updates++ > 0 ? ",{" : "{");
		l->close = "}";
	}
}

/* Per author; an author the client does not name is all new to it. */
static int
load_newer(const struct secsync_load *l, struct bytes stamp)
{
	struct bytes rest = buf_bytes(&l->known->clocks), key, clock;
	struct bytes author = bytes_of(stamp.p, SECSYNC_KEY_LEN);

	while (list_next(&rest, &key) == 1 && list_next(&rest, &clock) == 1)
		if (bytes_eq(key, author))
			return (be64_get(stamp.p + SECSYNC_KEY_LEN) >
			    be64_get(clock.p));
	return (1);
}

static enum code
load_step_end(struct secsync_load *l)
{
	if (l->step == SECSYNC_LOAD_LOG)
		return (load_end(l));
	/* After KNOWN: nobody knows that snapshot, so there is no chain. */
	buf_add_str(&l->frame, "],");
	load_log(l);
	return (l->frame.failed ? CODE_BUSY : CODE_OK);
}

static enum code
load_end(struct secsync_load *l)
{
	if (l->form == SECSYNC_FORM_RELAY && l->frame.len == 0 && !l->begun)
		return (CODE_COMPACTED);
	if (l->form != SECSYNC_FORM_RELAY && l->form != SECSYNC_FORM_SIGNAL)
		buf_add_str(&l->frame, "]}");
	if (l->frame.failed || load_flush(l, 1) == -1)
		return (CODE_STORAGE);
	l->step = SECSYNC_LOAD_IDLE;
	buf_free(&l->page);
	buf_free(&l->frame);
	conn_live(l->conn, l->upto);
	return (CODE_OK);
}

/* What an operator imported nobody has looked into. */
static int
load_flush(struct secsync_load *l, int last)
{
	struct bytes frame = buf_bytes(&l->frame);

	if (utf8_feed(&l->utf8, frame) == -1 || (last && !utf8_done(&l->utf8)))
		return (-1);
	conn_fragment(l->conn, l->begun ? WS_CONTINUATION : WS_TEXT, frame,
	    last);
	l->begun = !last;
	buf_clear(&l->frame);
	return (0);
}

static void
load_member(struct buf *out, const char *name, struct bytes value)
{
	buf_add_str(out, name);
	buf_add_bytes(out, value);
	buf_add_u8(out, '"');
}

/*
 * The jobs as steps over pages of entries.  While one is sent the next is read:
 * it is asked for ahead, unless an entry has a blob, which is to come between.
 * A page is kept only as far as it could not be sent when it came.
 */
#include "common/limits.h"
#include "common/utf8.h"
#include "worker/sds_feed.h"

/* What is asked for before its step, by its tag; all else has 0. */
#define SDS_FEED_TAG_NEXT 1

static void sds_feed_start(struct sds_feed *, enum sds_feed_step first,
    enum sds_feed_step then);
static int sds_feed_fits(struct sds_feed *, const struct fetched_in *);
static enum code sds_feed_page(struct sds_feed *, const struct fetched_in *);
static enum code sds_feed_slice(struct sds_feed *, const struct fetched_in *);
static int sds_feed_look(struct sds_feed *, struct bytes);
static struct bytes sds_feed_rest(const struct sds_feed *);
static int sds_feed_keep(struct sds_feed *);
static int sds_feed_ahead(const struct sds_feed *);
static void sds_feed_piece(struct sds_feed *, struct bytes);
static int sds_feed_entry(struct sds_feed *);
static void sds_feed_send(struct sds_feed *, const struct entry *);
static void sds_feed_ask(struct sds_feed *);
static void sds_feed_advance(struct sds_feed *);
static void sds_feed_gathered(struct sds_feed *);

void
sds_feed_init(struct sds_feed *f, struct conn *c)
{
	memset(f, 0, sizeof(*f));
	f->conn = c;
}

void
sds_feed_free(struct sds_feed *f)
{
	buf_free(&f->page);
	buf_free(&f->gathered);
}

void
sds_feed_all(struct sds_feed *f)
{
	sds_feed_history(f, 0, SDS_FEED_NEWEST, 0);
	sds_feed_ask(f);
	f->ahead = 1;
	conn_fetch(f->conn, SDS_FEED_TAG_NEXT, FETCH_LOG, f->at, f->upto,
	    BYTES_NONE, BYTES_NONE);
}

void
sds_feed_history(struct sds_feed *f, uint64_t after, uint64_t upto,
    int skip_own)
{
	f->after = after;
	f->upto = upto;
	f->live = upto;
	f->whole = 0;
	f->skip_own = skip_own;
	sds_feed_start(f, SDS_FEED_FIELDS, SDS_FEED_LOG);
}

/*
 * typed: a signal's kind is its first octet, else its opcode.  A number's
 * value came in one frame, and must go on in one, unless it came in chunks.
 */
void
sds_feed_stub(struct sds_feed *f, const struct entry *e, int typed)
{
	f->skip_own = 0;
	if (e->seq == 0) {
		f->live = conn_seq(f->conn);
		f->pull = (struct pull){ e->blob, e->size, 0 };
		f->text = !typed && e->kind == WS_TEXT;
		if (typed)
			sds_out_typed(&f->out, f->conn, e->kind, e->size);
		else
			sds_out_plain(&f->out, f->conn, e->size);
		sds_feed_start(f, SDS_FEED_SIGNAL, SDS_FEED_IDLE);
		return;
	}
	f->after = e->seq - 1;
	f->upto = f->live = e->seq;
	f->whole = e->kind == SDS_KIND_VALUE;
	sds_feed_start(f,
	    e->kind == SDS_KIND_PATCH ? SDS_FEED_LOG : SDS_FEED_FIELDS,
	    SDS_FEED_IDLE);
}

void
sds_feed_value(struct sds_feed *f, const uint8_t key[SDS_KEY_BYTES])
{
	conn_pause(f->conn);
	memcpy(f->key, key, sizeof(f->key));
	f->live = conn_seq(f->conn);
	f->upto = 0;
	f->whole = 0;
	f->missing = 1;
	sds_feed_start(f, SDS_FEED_VALUE, SDS_FEED_IDLE);
}

enum code
sds_feed_fetched(struct sds_feed *f, const struct fetched_in *in)
{
	enum code code;

	if (in->tag == SDS_FEED_TAG_NEXT && !sds_feed_fits(f, in))
		return (sds_feed_run(f));
	if (!f->asked)
		return (CODE_OK);
	f->asked = 0;
	code = f->pull.blob != 0 ? sds_feed_slice(f, in) : sds_feed_page(f, in);
	if (code == CODE_OK)
		code = sds_feed_run(f);
	if (sds_feed_keep(f) == -1 && code == CODE_OK)
		code = CODE_BUSY;
	return (code);
}

enum code
sds_feed_run(struct sds_feed *f)
{
	int r;

	while (
	    f->step != SDS_FEED_IDLE && conn_queued(f->conn) < CONN_LOW_BYTES) {
		if (sds_feed_ahead(f))
			sds_feed_ask(f);
		if (pull_active(&f->pull)) {
			if (f->asked)
				break;
			f->asked = 1;
			pull_ask(&f->pull, f->conn, 0);
		} else if ((r = sds_feed_entry(f)) == -1) {
			return (CODE_STORAGE);
		} else if (r == 0 && f->asked) {
			break;
		} else if (r == 0 && f->more) {
			sds_feed_ask(f);
		} else if (r == 0) {
			sds_feed_advance(f);
		}
	}
	return (CODE_OK);
}

static void
sds_feed_start(struct sds_feed *f, enum sds_feed_step first,
    enum sds_feed_step then)
{
	f->step = first;
	f->next = then;
	f->at = f->after;
	f->more = first != SDS_FEED_SIGNAL;
	f->blobs = 0;
	f->used = 0;
	buf_clear(&f->page);
	f->fresh = BYTES_NONE;
}

/*
 * The next step's first page: 1, it is that step's turn.  Else it is asked for
 * anew then, and so it is if somebody has written since the first step's.
 */
static int
sds_feed_fits(struct sds_feed *f, const struct fetched_in *in)
{
	f->ahead = 0;
	if (f->step != SDS_FEED_LOG)
		return (0);
	f->asked = in->code != CODE_OK || in->seq == f->upto;
	return (f->asked);
}

static enum code
sds_feed_page(struct sds_feed *f, const struct fetched_in *in)
{
	f->more = in->more;
	if (in->code == CODE_OK && f->upto == SDS_FEED_NEWEST)
		f->upto = f->live = in->seq;
	if (in->code == CODE_NOT_FOUND && f->step == SDS_FEED_VALUE)
		return (CODE_OK);
	if (in->code != CODE_OK)
		return (in->code);
	/* More without anything now would never end. */
	if (in->more && in->entries.n == 0)
		return (CODE_STORAGE);
	if (sds_feed_look(f, in->entries) == -1)
		return (CODE_STORAGE);
	buf_drop(&f->page, f->used);
	f->used = 0;
	if (f->page.len > 0)
		return (buf_add_bytes(&f->page, in->entries) == -1 ? CODE_BUSY
								   : CODE_OK);
	f->fresh = in->entries;
	return (CODE_OK);
}

/* What must be known of a page before any of it is sent. */
static int
sds_feed_look(struct sds_feed *f, struct bytes entries)
{
	struct entry e;
	int r;

	while ((r = entry_unpack(&entries, &e)) == 1) {
		f->at = e.seq;
		f->blobs |= (e.flags & ENTRY_BLOB) != 0;
	}
	return (r);
}

static struct bytes
sds_feed_rest(const struct sds_feed *f)
{
	return (f->fresh.n > 0 ? f->fresh
			       : bytes_skip(buf_bytes(&f->page), f->used));
}

/* The answer ends here. */
static int
sds_feed_keep(struct sds_feed *f)
{
	struct bytes rest = f->fresh;

	f->fresh = BYTES_NONE;
	return (rest.n > 0 ? buf_add_bytes(&f->page, rest) : 0);
}

/* The next page may come while this one is sent. */
static int
sds_feed_ahead(const struct sds_feed *f)
{
	struct bytes rest = sds_feed_rest(f);

	return (f->more && !f->asked && !f->blobs && rest.n > 0 &&
	    rest.n <= FETCH_PAGE_BYTES &&
	    (f->step == SDS_FEED_LOG || f->step == SDS_FEED_FIELDS));
}

/*
 * A blob may be gone: its value was replaced meanwhile, or the signal is too
 * old.  The newer value comes by itself; but a frame that was begun cannot be
 * taken back.
 */
static enum code
sds_feed_slice(struct sds_feed *f, const struct fetched_in *in)
{
	struct bytes slice;

	if (in->code != CODE_OK && in->code != CODE_NOT_FOUND)
		return (in->code);
	if (in->code == CODE_OK && pull_take(&f->pull, in, &slice) == 0) {
		sds_feed_piece(f, slice);
		if (!pull_active(&f->pull))
			f->pull.blob = 0;
		return (CODE_OK);
	}
	f->pull.blob = 0;
	f->text = 0;
	if (f->out.started)
		conn_drop(f->conn);
	return (CODE_OK);
}

static void
sds_feed_piece(struct sds_feed *f, struct bytes piece)
{
	if (f->text)
		buf_add_bytes(&f->gathered, piece);
	else
		sds_out_write(&f->out, piece);
}

/* The next entry of the page: 1; 0: there is none; -1: malformed. */
static int
sds_feed_entry(struct sds_feed *f)
{
	struct bytes rest = sds_feed_rest(f);
	struct entry e;
	size_t before = rest.n;
	int r;

	if ((r = entry_unpack(&rest, &e)) != 1) {
		f->blobs = 0;
		return (r);
	}
	if (f->fresh.n > 0)
		f->fresh = rest;
	else
		f->used += before - rest.n;
	if (f->skip_own && e.origin == conn_session(f->conn))
		return (1);
	sds_feed_send(f, &e);
	return (1);
}

static void
sds_feed_send(struct sds_feed *f, const struct entry *e)
{
	int blob = (e->flags & ENTRY_BLOB) != 0 && e->size > 0;
	uint64_t size = e->body.n + (blob ? e->size : 0);

	if (f->step == SDS_FEED_LOG) {
		if (e->kind != SDS_KIND_PATCH)
			return;
		sds_out_typed(&f->out, f->conn, SDS_PATCH, size);
	} else if (f->step == SDS_FEED_VALUE) {
		f->missing = 0;
		sds_out_value(&f->out, f->conn, f->key, size, f->whole);
	} else {
		if (e->key.n != SDS_KEY_BYTES)
			return;
		sds_out_value(&f->out, f->conn, e->key.p, size, f->whole);
	}
	if (blob)
		f->pull = (struct pull){ e->blob, e->size, 0 };
	if (e->body.n > 0 || !blob)
		sds_out_write(&f->out, e->body);
}

static void
sds_feed_ask(struct sds_feed *f)
{
	f->asked = 1;
	if (f->step == SDS_FEED_VALUE)
		conn_fetch(f->conn, 0, FETCH_FIELD, 0, 0,
		    bytes_of(f->key, sizeof(f->key)), BYTES_NONE);
	else
		conn_fetch(f->conn, 0,
		    f->step == SDS_FEED_LOG ? FETCH_LOG : FETCH_FIELDS, f->at,
		    f->upto, BYTES_NONE, BYTES_NONE);
}

/* The step is at its end: the next one, or back to the ring. */
static void
sds_feed_advance(struct sds_feed *f)
{
	if (f->text)
		sds_feed_gathered(f);
	if (f->next != SDS_FEED_IDLE) {
		sds_feed_start(f, f->next, SDS_FEED_IDLE);
		f->asked = f->ahead;
		return;
	}
	f->step = SDS_FEED_IDLE;
	buf_free(&f->page);
	conn_live(f->conn, f->live);
}

/* The broker does not look into blobs, so another's text is checked here. */
static void
sds_feed_gathered(struct sds_feed *f)
{
	if (!f->gathered.failed && utf8_valid(buf_bytes(&f->gathered)))
		conn_send(f->conn, WS_TEXT, buf_bytes(&f->gathered));
	buf_free(&f->gathered);
	f->text = 0;
}

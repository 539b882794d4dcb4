/*
 * POST /sync/:id/snapshot/upload (logseq.md, section 5.3): rows are staged as
 * they come; the finishing request walks them, and the graph is replaced in one
 * step or not at all.
 */
#include <stdlib.h>

#include "common/log.h"
#include "common/wire.h"
#include "worker/logseq_rows.h"
#include "worker/logseq_upload.h"
#include "worker/logseq_walk.h"

#define UPLOAD_BATCH_BYTES (192u * 1024u)
#define UPLOAD_FRAME_MAX   (32u * 1024u * 1024u) /* clients: a million */
#define UPLOAD_FLAG_MAX	   8
#define UPLOAD_TOO_LARGE   "snapshot row too large"

enum upload_tag { UPLOAD_BEGUN = 1, UPLOAD_TAKEN };

struct upload {
	struct logseq_web *web;
	uint64_t number; /* of the upload, see common/logseq.h */
	uint64_t count;	 /* rows in this request */
	int any;	 /* the body is not empty */
	int complete;	 /* and all of it is here */
	int finish;	 /* it is the last, or may be */
	int silent;	 /* it does not say which */
	int late;	 /* rows of an upload that has finished */
	int asked;	 /* an answer of the broker is awaited */
	char sum[LOGSEQ_SUM_LEN];
	size_t sum_n;
	struct buf batch;
	struct logseq_rows rows;
	struct logseq_walk walk;
};

static void upload_start(struct logseq_web *);
static void upload_piece(struct logseq_web *, struct bytes);
static void upload_end(struct logseq_web *);
static void upload_verdict(struct logseq_web *, const struct verdict_in *);
static void upload_fetched(struct logseq_web *, const struct fetched_in *);
static void upload_free(void *);
static void upload_query(struct upload *, int *reset);
static int upload_no(const char *text, ssize_t n);
static void upload_run(struct upload *);
static int upload_row(struct upload *, const struct logseq_row *);
static void upload_nothing(struct upload *);
static void upload_submit(struct upload *, enum logseq_verb, enum upload_tag);
static void upload_bad(struct upload *);
static void upload_ended(struct upload *);
static void upload_walk(struct upload *, enum logseq_walk_end, enum code);
static void upload_reply(struct upload *);

const struct logseq_steps logseq_upload_steps = {
	.start = upload_start,
	.piece = upload_piece,
	.end = upload_end,
	.verdict = upload_verdict,
	.fetched = upload_fetched,
	.free = upload_free,
};

static void
upload_start(struct logseq_web *w)
{
	const struct settings *set = conn_settings(w->conn);
	struct upload *u;
	int reset;

	if (w->state.role != LOGSEQ_MANAGER) {
		logseq_refuse(w, CODE_NO_SCOPE);
		return;
	}
	if (w->body_length > set->logseq_snapshot_max) {
		logseq_error(w, 413, UPLOAD_TOO_LARGE);
		return;
	}
	if ((u = w->job = calloc(1, sizeof(*u))) == NULL) {
		logseq_refuse(w, CODE_BUSY);
		return;
	}
	u->web = w;
	logseq_rows_init(&u->rows, UPLOAD_FRAME_MAX, set->logseq_snapshot_max);
	upload_query(u, &reset);
	u->number = reset ? 0 : w->state.staged;
	if (reset || u->number != 0)
		return;
	u->late = u->silent && w->state.ready;
	if (!u->late)
		upload_nothing(u);
}

static void
upload_piece(struct logseq_web *w, struct bytes b)
{
	struct upload *u = w->job;

	u->any = 1;
	if (logseq_rows_add(&u->rows, b) == -1)
		logseq_refuse(w, CODE_BUSY);
	else
		upload_run(u);
}

static void
upload_end(struct logseq_web *w)
{
	struct upload *u = w->job;

	u->complete = 1;
	if (!u->any)
		logseq_error(w, 400, "missing body");
	else
		upload_run(u);
}

static void
upload_verdict(struct logseq_web *w, const struct verdict_in *v)
{
	struct logseq_state state;
	struct upload *u = w->job;

	if (v->tag >= LOGSEQ_WALK_TAG) {
		upload_walk(u, logseq_walk_verdict(&u->walk, v), v->code);
		return;
	}
	u->asked = 0;
	conn_hold(w->conn, 0);
	if (v->code != CODE_OK) {
		logseq_refuse(w, v->code);
		return;
	}
	if (v->tag == UPLOAD_BEGUN) {
		if (logseq_state_unpack(v->info, &state) == -1 ||
		    state.staged == 0) {
			logseq_refuse(w, CODE_STORAGE);
			return;
		}
		u->number = state.staged;
	}
	upload_run(u);
}

static void
upload_fetched(struct logseq_web *w, const struct fetched_in *f)
{
	struct upload *u = w->job;

	upload_walk(u, logseq_walk_fetched(&u->walk, f), f->code);
}

static void
upload_free(void *job)
{
	struct upload *u = job;

	buf_free(&u->batch);
	logseq_rows_free(&u->rows);
	logseq_walk_free(&u->walk);
	free(u);
}

/*
 * Clients of the seed's date do not say which request is the last: it is the
 * one after which nothing is missing.
 */
static void
upload_query(struct upload *u, int *reset)
{
	char text[LOGSEQ_SUM_LEN + 1];
	ssize_t n;

	n = logseq_query(u->web, "reset", text, UPLOAD_FLAG_MAX);
	*reset = !upload_no(text, n);
	n = logseq_query(u->web, "finished", text, UPLOAD_FLAG_MAX);
	u->silent = n == -1;
	u->finish = u->silent ||
	    bytes_eq(bytes_of(text, (size_t)n), BYTES_LIT("true")) ||
	    bytes_eq(bytes_of(text, (size_t)n), BYTES_LIT("1"));
	n = logseq_query(u->web, "checksum", text, sizeof(text));
	if (n == LOGSEQ_SUM_LEN) {
		memcpy(u->sum, text, LOGSEQ_SUM_LEN);
		u->sum_n = LOGSEQ_SUM_LEN;
	}
}

static int
upload_no(const char *text, ssize_t n)
{
	return (n > 0 &&
	    (bytes_eq(bytes_of(text, (size_t)n), BYTES_LIT("false")) ||
		bytes_eq(bytes_of(text, (size_t)n), BYTES_LIT("0"))));
}

/* Goes on until the broker is asked something or the input is used up. */
static void
upload_run(struct upload *u)
{
	struct logseq_row row;
	int n = 0;

	if (u->asked)
		return;
	while (u->batch.len < UPLOAD_BATCH_BYTES &&
	    (n = logseq_rows_next(&u->rows, &row)) == 1)
		if (upload_row(u, &row) == -1)
			return;
	if (n == -1 ||
	    (u->complete && n == 0 && logseq_rows_done(&u->rows) == -1))
		upload_bad(u);
	/* Nothing is thrown away before something better has begun to come. */
	else if (u->batch.len > 0 && u->number == 0)
		upload_submit(u, LOGSEQ_UPLOAD_BEGIN, UPLOAD_BEGUN);
	else if (u->batch.len >= UPLOAD_BATCH_BYTES ||
	    (u->complete && u->batch.len > 0))
		upload_submit(u, LOGSEQ_UPLOAD_ROWS, UPLOAD_TAKEN);
	else if (u->complete)
		upload_ended(u);
}

/*
 * -1: it has answered.  To a graph that is whole only a new root or tail could
 * lead to more rows; what is neither changes nothing.
 */
static int
upload_row(struct upload *u, const struct logseq_row *row)
{
	uint8_t addr[8];

	u->count++;
	if (u->late && row->addr > LOGSEQ_TAIL_ADDR)
		return (0);
	if (u->late) {
		upload_nothing(u);
		return (-1);
	}
	be64_put(addr, row->addr);
	list_add(&u->batch, bytes_of(addr, sizeof(addr)));
	list_add(&u->batch, row->addresses);
	if (list_add(&u->batch, row->content) == 0)
		return (0);
	logseq_refuse(u->web, CODE_BUSY);
	return (-1);
}

static void
upload_nothing(struct upload *u)
{
	logseq_error(u->web, 400, "no snapshot upload in progress");
}

static void
upload_submit(struct upload *u, enum logseq_verb verb, enum upload_tag tag)
{
	struct submit_out out = { .tag = tag, .verb = verb };

	if (verb == LOGSEQ_UPLOAD_ROWS) {
		out.clock = u->number;
		out.items = buf_bytes(&u->batch);
	}
	u->asked = 1;
	conn_hold(u->web->conn, 1);
	logseq_submit(u->web, &out);
	if (verb == LOGSEQ_UPLOAD_ROWS)
		buf_clear(&u->batch);
}

static void
upload_bad(struct upload *u)
{
	log_info("%s: upload refused: %s", conn_peer(u->web->conn),
	    u->rows.reason);
	if (u->rows.too_large)
		logseq_error(u->web, 413, UPLOAD_TOO_LARGE);
	else
		logseq_error(u->web, 400, "invalid snapshot");
}

static void
upload_ended(struct upload *u)
{
	if (!u->finish || u->late) {
		upload_reply(u);
		return;
	}
	if (u->number == 0) {
		logseq_error(u->web, 400, "invalid snapshot");
		return;
	}
	logseq_walk_init(&u->walk, u->web, u->number,
	    bytes_of(u->sum, u->sum_n));
	upload_walk(u, logseq_walk_begin(&u->walk), CODE_BUSY);
}

static void
upload_walk(struct upload *u, enum logseq_walk_end end, enum code code)
{
	switch (end) {
	case LOGSEQ_WALK_GOES_ON:
		break;
	case LOGSEQ_WALK_DONE:
		u->web->litter = 1;
		upload_reply(u);
		break;
	case LOGSEQ_WALK_SHORT:
		if (u->silent) {
			upload_reply(u);
			break;
		}
		log_info("%s: snapshot refused: no row %llu",
		    conn_peer(u->web->conn), (unsigned long long)u->walk.addr);
		/* FALLTHROUGH */
	case LOGSEQ_WALK_BAD:
		logseq_error(u->web, 400, "invalid snapshot");
		break;
	case LOGSEQ_WALK_REFUSED:
		logseq_refuse(u->web, code == CODE_OK ? CODE_BUSY : code);
		break;
	}
}

static void
upload_reply(struct upload *u)
{
	struct buf json = BUF_INIT, key = BUF_INIT;

	buf_add_bytes(&key, u->web->param[0]);
	buf_add_u8(&key, '/');
	buf_add_bytes(&key, u->web->param[0]);
	buf_add_str(&key, ".snapshot");
	buf_printf(&json, "{\"ok\":true,\"count\":%llu,\"key\":",
	    (unsigned long long)u->count);
	json_quote(&json, buf_bytes(&key));
	buf_add_u8(&json, '}');
	logseq_reply(u->web, 200, buf_bytes(&json));
	buf_free(&json);
	buf_free(&key);
}

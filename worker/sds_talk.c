/*
 * What a client in a room says, frame by frame, and how it learns that it must
 * go.
 */

#include "worker/sds_talk.h"

struct sds_ending {
	enum code code;
	unsigned int close;
	const char *reason;
};

struct sds_frame {
	enum sds_type type;
	enum scope scope;
	void (*take)(struct sds *, struct bytes frame);
};

static void sds_take_patch(struct sds *, struct bytes);
static void sds_take_value(struct sds *, struct bytes);
static void sds_take_request(struct sds *, struct bytes);
static void sds_take_chunk(struct sds *, struct bytes);
static void sds_relay(struct sds *, uint64_t verb, struct bytes frame);
static void sds_chunk_begin(struct sds *, struct sds_value *);
static void sds_value_joined(struct sds *, struct sds_value *);

/* How a client learns that it must go; it stops for good at 4001 and 4003. */
static const struct sds_ending sds_endings[] = {
	{ CODE_BAD_TOKEN, SDS_CLOSE_UNAUTHORIZED, "Unauthorized" },
	{ CODE_EXPIRED, SDS_CLOSE_UNAUTHORIZED, "Unauthorized" },
	{ CODE_REVOKED, SDS_CLOSE_UNAUTHORIZED, "Unauthorized" },
	{ CODE_WRONG_STORE, SDS_CLOSE_FORBIDDEN, "Forbidden" },
	{ CODE_NO_SCOPE, SDS_CLOSE_FORBIDDEN, "Forbidden" },
	{ CODE_TOO_LARGE, WS_CODE_SIZE, "Too large" },
	{ CODE_BUSY, SDS_CLOSE_LATER, "Try again later" },
	{ CODE_QUOTA, SDS_CLOSE_LATER, "Try again later" },
	{ CODE_SHUTDOWN, WS_CODE_AWAY, "Going away" },
	{ CODE_KICKED, WS_CODE_AWAY, "Going away" },
};

/* Types that are not passed on as they are; every other one is. */
static const struct sds_frame sds_frames[] = {
	{ SDS_PATCH, SCOPE_WRITE, sds_take_patch },
	{ SDS_VALUE, SCOPE_WRITE, sds_take_value },
	{ SDS_REQ_VALUE, SCOPE_READ, sds_take_request },
	{ SDS_VALUE_CHUNK, SCOPE_WRITE, sds_take_chunk },
};

void
sds_end(struct conn *c, enum code code)
{
	size_t i;

	for (i = 0; i < sizeof(sds_endings) / sizeof(*sds_endings); i++)
		if (sds_endings[i].code == code) {
			conn_close(c, sds_endings[i].close,
			    sds_endings[i].reason);
			return;
		}
	conn_close(c, WS_CODE_ERROR, "Internal error");
}

void
sds_hold(struct sds *s)
{
	conn_hold(s->conn,
	    !s->open || s->begun != NULL || s->wanted || s->asking);
}

/* After the feed went on: what its end makes possible. */
void
sds_settle(struct sds *s, enum code code)
{
	static const uint8_t type = SDS_REQ_VALUE;

	if (code != CODE_OK) {
		sds_end(s->conn, code);
		return;
	}
	if (s->feed.step != SDS_FEED_IDLE)
		return;
	if (s->asking) {
		s->asking = 0;
		sds_hold(s);
	}
	if (s->feed.missing) {
		s->feed.missing = 0;
		conn_signal(s->conn, SDS_VERB_SIGNAL, bytes_of(&type, 1),
		    BYTES_NONE, bytes_of(s->feed.key, SDS_KEY_BYTES));
	}
	if (s->wanted) {
		s->wanted = 0;
		s->asking = 1;
		sds_feed_value(&s->feed, s->wanted_key);
		sds_feed_run(&s->feed);
		sds_hold(s);
	}
}

void
sds_take(struct sds *s, struct bytes frame)
{
	size_t i;

	for (i = 0; i < sizeof(sds_frames) / sizeof(*sds_frames); i++)
		if (sds_frames[i].type == frame.p[0])
			break;
	if (i == sizeof(sds_frames) / sizeof(*sds_frames))
		sds_relay(s, SDS_VERB_SIGNAL, frame);
	else if (scope_covers(s->scope, sds_frames[i].scope))
		sds_frames[i].take(s, frame);
}

static void
sds_take_patch(struct sds *s, struct bytes frame)
{
	struct submit_out out = { .tag = SDS_TAG_CONTENT,
		.verb = SDS_VERB_PATCH,
		.body = bytes_skip(frame, 1) };

	if (s->keeps)
		conn_submit(s->conn, &out);
	else
		sds_relay(s, SDS_VERB_SIGNAL_WRITE, frame);
}

/* Without a whole key there is nothing to keep it under. */
static void
sds_take_value(struct sds *s, struct bytes frame)
{
	struct submit_out out = { .tag = SDS_TAG_CONTENT,
		.verb = SDS_VERB_VALUE,
		.body = bytes_skip(frame, 1 + SDS_KEY_BYTES) };

	if (!s->keeps || frame.n < 1 + SDS_KEY_BYTES) {
		sds_relay(s, SDS_VERB_SIGNAL_WRITE, frame);
		return;
	}
	out.ref = bytes_of(frame.p + 1, SDS_KEY_BYTES);
	conn_submit(s->conn, &out);
}

static void
sds_take_request(struct sds *s, struct bytes frame)
{
	if (!s->keeps || frame.n != 1 + SDS_KEY_BYTES) {
		sds_relay(s, SDS_VERB_SIGNAL, frame);
		return;
	}
	memcpy(s->wanted_key, frame.p + 1, SDS_KEY_BYTES);
	s->wanted = 1;
	sds_hold(s);
	sds_settle(s, CODE_OK);
}

/* Chunks go on as they come; only the whole value is kept. */
static void
sds_take_chunk(struct sds *s, struct bytes frame)
{
	struct sds_value *v = NULL;
	struct sds_chunk chunk;
	int fresh = 0, r;

	if ((r = sds_chunk_parse(frame, &chunk)) == -1)
		return;
	if (r == 1 && s->keeps)
		v = sds_chunks_add(&s->chunks, &chunk, &fresh);
	if (v != NULL && fresh)
		sds_chunk_begin(s, v);
	sds_relay(s, SDS_VERB_SIGNAL_WRITE, frame);
	if (v != NULL && v->clock != 0 && v->have == v->total)
		sds_value_joined(s, v);
}

static void
sds_relay(struct sds *s, uint64_t verb, struct bytes frame)
{
	conn_signal(s->conn, verb, bytes_of(frame.p, 1), BYTES_NONE,
	    bytes_skip(frame, 1));
}

/*
 * Who is in the room from now on will have seen the whole value in chunks; the
 * broker is asked what "now" is before the client may go on.
 */
static void
sds_chunk_begin(struct sds *s, struct sds_value *v)
{
	struct submit_out out = { .tag = SDS_TAG_CHUNK_BEGIN,
		.verb = SDS_VERB_CHUNK_BEGIN };

	s->begun = v;
	sds_hold(s);
	conn_submit(s->conn, &out);
}

void
sds_chunk_clock(struct sds *s, struct bytes info)
{
	struct sds_value *v = s->begun;

	s->begun = NULL;
	sds_hold(s);
	if (v == NULL || info.n != 8)
		return;
	v->clock = be64_get(info.p);
	if (v->have == v->total)
		sds_value_joined(s, v);
}

static void
sds_value_joined(struct sds *s, struct sds_value *v)
{
	struct submit_out out = { .tag = SDS_TAG_CONTENT,
		.verb = SDS_VERB_VALUE,
		.clock = v->clock };
	uint8_t key[SDS_KEY_BYTES];
	struct buf whole = BUF_INIT;

	memcpy(key, v->key, sizeof(key));
	if (sds_chunks_take(&s->chunks, v, &whole) == -1) {
		sds_end(s->conn, CODE_BUSY);
	} else {
		out.ref = bytes_of(key, sizeof(key));
		out.body = buf_bytes(&whole);
		conn_submit(s->conn, &out);
	}
	buf_free(&whole);
}

/*
 * What a worker hands on as a client's message must be one whoever packed it:
 * others parse it as JSON.  What its members say is not looked at.
 *
 * The ciphertext, which stands first, may be long and has one alphabet, so it
 * is gone through piece by piece; there is little behind it.
 */
#include "broker/rule_secsync_state.h"
#include "common/json.h"
#include "common/limits.h"

/* publicData with 5,000 clocks takes 0.3 MiB. */
#define BODY_REST_MAX MIB

struct body_walk {
	size_t opened; /* octets of the opening that have come */
	int closed;    /* the quote behind the ciphertext has come */
	struct buf rest;
};

static const struct bytes body_opening = { (const uint8_t *)"\"ciphertext\":\"",
	14 };

static const struct {
	struct bytes key;
	enum json_type type;
} body_members[] = {
	{ { (const uint8_t *)"\"nonce\"", 7 }, JSON_STRING },
	{ { (const uint8_t *)"\"publicData\"", 12 }, JSON_OBJECT },
	{ { (const uint8_t *)"\"signature\"", 11 }, JSON_STRING },
};

#define BODY_MEMBERS (sizeof(body_members) / sizeof(body_members[0]))

static int body_blob(struct txn *, struct body_walk *, const struct body *);
static int body_take(struct body_walk *, struct bytes);
static int body_letter(uint8_t);
static int body_rest_ok(struct bytes);

int
secsync_body_ok(struct txn *t, const struct submit *s)
{
	struct body_walk w = { 0 };
	int ok;

	if (s->body.blob == 0)
		ok = body_take(&w, s->body.b);
	else if (s->body.b.n > 0)
		ok = 0;
	else if (s->whole.n > 0)
		ok = body_take(&w, s->whole);
	else
		ok = body_blob(t, &w, &s->body);
	ok = ok && body_rest_ok(buf_bytes(&w.rest));
	if (w.rest.failed)
		t->failed = 1;
	buf_free(&w.rest);
	return (ok);
}

static int
body_blob(struct txn *t, struct body_walk *w, const struct body *body)
{
	struct buf slice = BUF_INIT;
	uint64_t off;
	int ok = 1;

	for (off = 0; ok && off < body->size; off += BLOB_SLICE_BYTES) {
		buf_clear(&slice);
		ok = txn_blob_read(t, body->blob, off, BLOB_SLICE_BYTES,
			 &slice) == 0 &&
		    body_take(w, buf_bytes(&slice));
	}
	buf_free(&slice);
	return (ok);
}

/* 1: good so far. */
static int
body_take(struct body_walk *w, struct bytes b)
{
	for (; b.n > 0 && w->opened < body_opening.n; b = bytes_skip(b, 1))
		if (b.p[0] != body_opening.p[w->opened++])
			return (0);
	for (; b.n > 0 && !w->closed; b = bytes_skip(b, 1)) {
		w->closed = b.p[0] == '"';
		if (!w->closed && !body_letter(b.p[0]))
			return (0);
	}
	return (b.n <= BODY_REST_MAX - w->rest.len &&
	    buf_add_bytes(&w->rest, b) == 0);
}

/* Of base64url. */
static int
body_letter(uint8_t c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_');
}

static int
body_rest_ok(struct bytes rest)
{
	struct json_scan s;
	struct json t;
	size_t n = 0;
	int r;

	if (rest.n == 0 || rest.p[0] != ',')
		return (0);
	json_scan_members(&s, bytes_skip(rest, 1), JSON_DEPTH_MAX);
	while ((r = json_scan_next(&s, &t)) == 1) {
		if (t.type != JSON_KEY || s.depth > 1)
			continue;
		if (n == BODY_MEMBERS ||
		    !bytes_eq(t.text, body_members[n].key) ||
		    json_scan_next(&s, &t) != 1 ||
		    t.type != body_members[n].type)
			return (0);
		n++;
	}
	return (r == 0 && n == BODY_MEMBERS);
}

/*
 * secsync messages into typed fields.  publicData is rewritten canonically
 * first and read from that text: what is checked is what is signed, stored and
 * relayed, and the clocks come out sorted.
 */
#include "common/base64url.h"
#include "worker/secsync_canon.h"
#include "worker/secsync_extra.h"
#include "worker/secsync_message.h"

#define KEY_BYTES	32
#define SIGNATURE_BYTES 64
#define NONCE_BYTES	24
/* Tag, Poly1305 tag, and what an ephemeral message has at least inside. */
#define CIPHERTEXT_MIN 48
#define EPHEMERAL_MIN  77
/* publicData with SECSYNC_CLOCKS_MAX clocks, ids and blanks, generously. */
#define PUBLIC_DATA_MAX ((size_t)512 * 1024)

enum {
	DATA_DOC,
	DATA_KEY,
	DATA_SNAPSHOT,
	DATA_PARENT,
	DATA_PROOF,
	DATA_CLOCKS,
	DATA_REF,
	DATA_CLOCK,
	DATA_COUNT
};

static const char *const data_names[DATA_COUNT] = { "docId", "pubKey",
	"snapshotId", "parentSnapshotId", "parentSnapshotProof",
	"parentSnapshotUpdateClocks", "refSnapshotId", "clock" };

/* Exactly which members the publicData of a kind has. */
static const unsigned int data_wanted[] = {
	[SECSYNC_KIND_SNAPSHOT] = 1u << DATA_DOC | 1u << DATA_KEY |
	    1u << DATA_SNAPSHOT | 1u << DATA_PARENT | 1u << DATA_PROOF |
	    1u << DATA_CLOCKS,
	[SECSYNC_KIND_UPDATE] =
	    1u << DATA_DOC | 1u << DATA_KEY | 1u << DATA_REF | 1u << DATA_CLOCK,
	[SECSYNC_KIND_EPHEMERAL] = 1u << DATA_DOC | 1u << DATA_KEY,
};

static int message_envelope(struct secsync_message *, const struct json *);
static int message_known(struct secsync_message *, const struct json *);
static int message_data(struct secsync_message *, const struct json *,
    char *const *extra);
static int message_snapshot(struct secsync_message *, const struct json *);
static int message_update(struct secsync_message *, const struct json *);
static enum secsync_kind message_kind(const struct json *);
static int message_members(const struct json *, struct json *, unsigned int,
    char *const *extra);
static int truthy(const struct json *);
static int octets(struct bytes text, ssize_t n);

int
secsync_message_parse(struct secsync_message *m, struct bytes text,
    char *const *extra)
{
	static const char *const names[] = { "ciphertext", "nonce", "signature",
		"publicData", "knownSnapshotId" };
	struct json_report report;
	struct json top, v[5], data[DATA_COUNT];

	memset(m, 0, sizeof(*m));
	if (json_parse(&top, text, SECSYNC_DEPTH_MAX, &report) == -1)
		return (-1);
	json_find_all(&top, names, v, 5);
	json_find_all(&v[3], data_names, data, DATA_COUNT);
	m->kind = message_kind(data);
	m->echo_id = data[DATA_REF];
	m->echo_clock = data[DATA_CLOCK];
	if (v[3].type != JSON_OBJECT || (report.flags & JSON_HAS_LONE) != 0)
		return (-1);
	if (message_envelope(m, v) == -1 || message_known(m, &v[4]) == -1)
		return (-1);
	return (message_data(m, &v[3], extra));
}

void
secsync_message_free(struct secsync_message *m)
{
	buf_free(&m->clocks);
	buf_free(&m->data);
}

int
secsync_message_body(struct buf *out, const struct secsync_message *m)
{
	buf_add_str(out, "\"ciphertext\":\"");
	buf_add_bytes(out, m->ciphertext);
	buf_add_str(out, "\",\"nonce\":\"");
	buf_add_bytes(out, m->nonce);
	buf_add_str(out, "\",\"publicData\":");
	buf_add_bytes(out, buf_bytes(&m->data));
	buf_add_str(out, ",\"signature\":\"");
	buf_add_bytes(out, m->signature);
	buf_add_u8(out, '"');
	return (out->failed ? -1 : 0);
}

/* Base64 is checked as it stands: an escape in it is no base64. */
static int
message_envelope(struct secsync_message *m, const struct json *v)
{
	ssize_t n;

	m->ciphertext = json_raw(&v[0]);
	m->nonce = json_raw(&v[1]);
	m->signature = json_raw(&v[2]);
	if ((n = base64url_check(m->ciphertext)) == -1)
		return (-1);
	if (n < (m->kind == SECSYNC_KIND_EPHEMERAL ? EPHEMERAL_MIN
						   : CIPHERTEXT_MIN))
		return (-1);
	return (octets(m->nonce, NONCE_BYTES) &&
		    octets(m->signature, SIGNATURE_BYTES)
		? 0
		: -1);
}

/* Of a snapshot only, a text; one that is no id is known nowhere. */
static int
message_known(struct secsync_message *m, const struct json *v)
{
	if (m->kind != SECSYNC_KIND_SNAPSHOT || v->type == JSON_NONE)
		return (0);
	if (secsync_id_ok(json_raw(v)))
		m->known = json_raw(v);
	return (v->type == JSON_STRING ? 0 : -1);
}

static int
message_data(struct secsync_message *m, const struct json *public_data,
    char *const *extra)
{
	struct json canonical, data[DATA_COUNT];

	if (public_data->text.n > PUBLIC_DATA_MAX ||
	    secsync_canon(&m->data, public_data) == -1)
		return (-1);
	canonical.type = JSON_OBJECT;
	canonical.text = buf_bytes(&m->data);
	if (message_members(&canonical, data, data_wanted[m->kind], extra) ==
	    -1)
		return (-1);
	m->doc = json_raw(&data[DATA_DOC]);
	m->key = json_raw(&data[DATA_KEY]);
	if (data[DATA_DOC].type != JSON_STRING || !octets(m->key, KEY_BYTES))
		return (-1);
	if (m->kind == SECSYNC_KIND_SNAPSHOT)
		return (message_snapshot(m, data));
	if (m->kind == SECSYNC_KIND_UPDATE)
		return (message_update(m, data));
	return (0);
}

static int
message_snapshot(struct secsync_message *m, const struct json *data)
{
	m->id = json_raw(&data[DATA_SNAPSHOT]);
	m->parent = json_raw(&data[DATA_PARENT]);
	m->proof = json_raw(&data[DATA_PROOF]);
	if (!secsync_id_ok(m->id) || data[DATA_PARENT].type != JSON_STRING ||
	    (m->parent.n > 0 && !secsync_id_ok(m->parent)) ||
	    !octets(m->proof, KEY_BYTES))
		return (-1);
	return (secsync_clocks_pack(&m->clocks, &data[DATA_CLOCKS]));
}

static int
message_update(struct secsync_message *m, const struct json *data)
{
	int64_t clock;

	m->id = json_raw(&data[DATA_REF]);
	if (!secsync_id_ok(m->id) ||
	    json_safe_int(&data[DATA_CLOCK], &clock) == -1 || clock < 0)
		return (-1);
	m->clock = (uint64_t)clock;
	return (0);
}

/* As the original: a truthy snapshotId, else a truthy refSnapshotId. */
static enum secsync_kind
message_kind(const struct json *data)
{
	if (truthy(&data[DATA_SNAPSHOT]))
		return (SECSYNC_KIND_SNAPSHOT);
	if (truthy(&data[DATA_REF]))
		return (SECSYNC_KIND_UPDATE);
	return (SECSYNC_KIND_EPHEMERAL);
}

/* All the wanted members, and no other but what an operator allows. */
static int
message_members(const struct json *object, struct json *data,
    unsigned int wanted, char *const *extra)
{
	struct json_iter it;
	struct json value;
	struct bytes key;
	unsigned int have = 0, members = 0;
	size_t i;

	json_find_all(object, data_names, data, DATA_COUNT);
	for (i = 0; i < DATA_COUNT; i++)
		if (data[i].type != JSON_NONE)
			have |= 1u << i;
	if (have != wanted)
		return (-1);
	json_iter_init(&it, object);
	while (json_iter_next(&it, &key, &value))
		members += !secsync_extra_ok(extra, key, &value);
	for (i = 0; i < DATA_COUNT; i++)
		members -= wanted >> i & 1;
	return (members == 0 ? 0 : -1);
}

/* What ECMAScript takes for true. */
static int
truthy(const struct json *v)
{
	int64_t n;

	switch (v->type) {
	case JSON_TRUE:
	case JSON_ARRAY:
	case JSON_OBJECT:
		return (1);
	case JSON_STRING:
		return (v->text.n > 2);
	case JSON_NUMBER:
		return (json_safe_int(v, &n) == -1 || n != 0);
	default:
		return (0);
	}
}

static int
octets(struct bytes text, ssize_t n)
{
	return (
	    text.n == BASE64URL_LEN((size_t)n) && base64url_check(text) == n);
}

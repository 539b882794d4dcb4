/*
 * The model's decisions, and how its operations look from outside.  Written
 * from the protocol documents, not from the rules.
 */
#include <stdio.h>
#include <string.h>

#include "common/frame.h"
#include "common/log.h"
#include "common/sds.h"
#include "tests/lib/model.h"

static enum code model_decide_update(const struct model *,
    const struct model_op *);
static enum code model_decide_snapshot(const struct model *,
    const struct model_op *);
static void model_id(uint32_t id, char out[16]);
static void model_hash(const struct model_op *, char out[SECSYNC_HASH_LEN]);

enum code
model_decide(const struct model *m, const struct model_op *op)
{
	switch (op->verb) {
	case MODEL_UPDATE:
		return (model_decide_update(m, op));
	case MODEL_SNAPSHOT:
		return (model_decide_snapshot(m, op));
	default:
		return (CODE_OK);
	}
}

static enum code
model_decide_update(const struct model *m, const struct model_op *op)
{
	if (m->head == NULL || op->on != m->head->id)
		return (CODE_STALE);
	if (op->clock != m->clocks[op->key])
		return (CODE_GAP);
	return (m->updates >= MODEL_UPDATES ? CODE_NEEDS_SNAPSHOT : CODE_OK);
}

static enum code
model_decide_snapshot(const struct model *m, const struct model_op *op)
{
	char proof[SECSYNC_HASH_LEN];
	static const uint64_t none[MODEL_AUTHORS];

	model_proof(m->head, proof);
	if (m->head == NULL)
		return (op->on == 0 &&
			    memcmp(op->clocks, none, sizeof(none)) == 0 &&
			    memcmp(op->proof, proof, sizeof(proof)) == 0
			? CODE_OK
			: CODE_INVALID);
	if (op->on != m->head->id)
		return (CODE_STALE);
	if (memcmp(op->clocks, m->clocks, sizeof(op->clocks)) != 0)
		return (CODE_MISSES_UPDATES);
	if (memcmp(op->proof, proof, sizeof(proof)) != 0)
		return (CODE_INVALID);
	return (m->ids[op->id] ? CODE_EXISTS : CODE_OK);
}

void
model_apply(struct model *m, const struct model_op *op)
{
	m->log[++m->seq] = op;
	switch (op->verb) {
	case MODEL_PATCH:
		break;
	case MODEL_VALUE:
		m->value[op->key] = m->seq;
		break;
	case MODEL_UPDATE:
		m->updates++;
		m->clocks[op->key]++;
		break;
	case MODEL_SNAPSHOT:
		m->head = op;
		m->head_seq = m->seq;
		m->updates = 0;
		memset(m->clocks, 0, sizeof(m->clocks));
		m->ids[op->id] = 1;
	}
}

void
model_compact(struct model *m)
{
	uint64_t i;

	for (i = 1; i <= m->seq; i++)
		if (m->kind == MODEL_CHAIN)
			m->may_go[i] = i < m->head_seq;
		else
			m->may_go[i] = m->log[i]->verb == MODEL_VALUE &&
			    m->value[m->log[i]->key] != i;
}

void
model_proof(const struct model_op *op, char out[SECSYNC_HASH_LEN])
{
	char id[16], hash[SECSYNC_HASH_LEN];

	if (op == NULL) {
		secsync_proof(out, BYTES_NONE, BYTES_NONE, BYTES_NONE);
		return;
	}
	model_id(op->id, id);
	model_hash(op, hash);
	secsync_proof(out, bytes_str(id),
	    bytes_of(op->proof, sizeof(op->proof)),
	    bytes_of(hash, sizeof(hash)));
}

void
model_submit(const struct model_op *op, struct msg *m, struct buf *scratch)
{
	static const unsigned int verbs[] = { SDS_VERB_PATCH, SDS_VERB_VALUE,
		SECSYNC_UPDATE, SECSYNC_SNAPSHOT };
	static char id[16], on[16], author[SECSYNC_KEY_LEN],
	    hash[SECSYNC_HASH_LEN];
	static uint8_t key[32];
	static struct buf items, clocks;
	struct secsync_items i;
	uint8_t clock[8];
	unsigned int a;

	*m = (struct msg)MSG(SUBMIT);
	m->f[submit_tag].u = op->number;
	m->f[submit_verb].u = verbs[op->verb];
	buf_clear(scratch);
	model_body(op, scratch);
	m->f[submit_body].b = buf_bytes(scratch);
	if (op->verb == MODEL_PATCH)
		return;
	if (op->verb == MODEL_VALUE) {
		model_key(op->key, key);
		m->f[submit_ref].b = bytes_of(key, sizeof(key));
		return;
	}
	model_id(op->on, on);
	model_author(op->key, author);
	if (op->on != 0)
		m->f[submit_ref].b = bytes_str(on);
	m->f[submit_author].b = bytes_of(author, sizeof(author));
	m->f[submit_clock].u = op->clock;
	if (op->verb == MODEL_UPDATE)
		return;
	buf_clear(&clocks);
	buf_clear(&items);
	for (a = 0; a < MODEL_AUTHORS; a++) {
		if (op->clocks[a] == 0)
			continue;
		model_author(a, author);
		be64_put(clock, op->clocks[a] - 1);
		list_add(&clocks, bytes_of(author, sizeof(author)));
		list_add(&clocks, bytes_of(clock, sizeof(clock)));
	}
	model_author(op->key, author);
	model_id(op->id, id);
	model_hash(op, hash);
	i = (struct secsync_items){ bytes_str(id),
		bytes_of(op->proof, sizeof(op->proof)),
		bytes_of(hash, sizeof(hash)), buf_bytes(&clocks) };
	if (secsync_items_pack(&items, &i) == -1)
		fatalx(1, "no memory");
	m->f[submit_items].b = buf_bytes(&items);
}

void
model_frame(const struct model_op *op, struct buf *out)
{
	static const char *const before[] = { "\1", "\2",
		"{\"type\":\"update\",",
		"{\"type\":\"snapshot\",\"snapshot\":{" },
				 *const after[] = { "", "", "}", "}}" };
	struct buf payload = BUF_INIT;
	uint8_t key[32], header[10];

	buf_add_str(&payload, before[op->verb]);
	if (op->verb == MODEL_VALUE) {
		model_key(op->key, key);
		buf_add(&payload, key, sizeof(key));
	}
	model_body(op, &payload);
	buf_add_str(&payload, after[op->verb]);
	buf_add(out, header,
	    ws_header(header, op->verb <= MODEL_VALUE ? WS_BINARY : WS_TEXT, 1,
		payload.len));
	buf_add_bytes(out, buf_bytes(&payload));
	buf_free(&payload);
}

void
model_record(const struct model_op *op, struct buf *out)
{
	char author[SECSYNC_KEY_LEN];
	uint8_t key[32];

	if (op->verb == MODEL_VALUE) {
		model_key(op->key, key);
		buf_add(out, key, sizeof(key));
		return;
	}
	if (op->verb == MODEL_UPDATE) {
		model_author(op->key, author);
		buf_add(out, author, sizeof(author));
		buf_add_be64(out, op->clock);
	}
	model_body(op, out);
}

/* Its number is at the front, and every octet follows from it; of a chain it is
 * a member of JSON. */
void
model_body(const struct model_op *op, struct buf *out)
{
	int json = op->verb >= MODEL_UPDATE;
	size_t i;

	buf_add_str(out, json ? MODEL_BEFORE : "");
	buf_printf(out, "%08x", op->number);
	for (i = 8; i < op->size; i++)
		buf_add_u8(out, (uint8_t)('a' + (op->number * 7 + i) % 26));
	buf_add_str(out, json ? MODEL_AFTER : "");
}

unsigned int
model_kind_of(const struct model_op *op)
{
	static const unsigned int kinds[] = { SDS_KIND_PATCH, SDS_KIND_VALUE,
		SECSYNC_UPDATE, SECSYNC_SNAPSHOT };

	return (kinds[op->verb]);
}

void
model_key(unsigned int key, uint8_t out[32])
{
	memset(out, 'A' + (int)key, 32);
}

void
model_author(unsigned int author, char out[SECSYNC_KEY_LEN])
{
	memset(out, 'a' + (int)author, SECSYNC_KEY_LEN);
}

static void
model_id(uint32_t id, char out[16])
{
	snprintf(out, 16, "s%08x", id);
}

static void
model_hash(const struct model_op *op, char out[SECSYNC_HASH_LEN])
{
	char text[16];

	model_id(op->number, text);
	secsync_hash(out, bytes_str(text));
}

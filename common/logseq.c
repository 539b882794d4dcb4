/*
 * Packing and unpacking of what the two halves of the logseq dialect say to
 * each other, as common/logseq.h tells it.  Registers are in logseq_key.c, text
 * in logseq_text.c.
 */
#include "common/logseq.h"
#include "common/wire.h"

static int add_u64(struct buf *, uint64_t);
static int add_value(struct buf *, const struct logseq_value *);
static int next_u64(struct bytes *, uint64_t *);
static int next_value(struct bytes *, struct logseq_value *);
static int next_octet(struct bytes *, unsigned int max, unsigned int *);

int
logseq_value_pack(struct buf *b, const struct logseq_value *v)
{
	buf_add_u8(b, (uint8_t)v->type);
	return (buf_add_bytes(b, v->b));
}

int
logseq_value_unpack(struct bytes in, struct logseq_value *v)
{
	static const struct {
		enum logseq_type type;
		int size; /* of the payload, -1: any */
	} types[] = { { LOGSEQ_NULL, 0 }, { LOGSEQ_BOOL, 1 }, { LOGSEQ_INT, 8 },
		{ LOGSEQ_FLOAT, 8 }, { LOGSEQ_KEYWORD, -1 },
		{ LOGSEQ_UUID, LOGSEQ_UUID_LEN }, { LOGSEQ_STRING, -1 },
		{ LOGSEQ_INSTANT, 8 }, { LOGSEQ_REF, 8 }, { LOGSEQ_OPAQUE, -1 },
		{ LOGSEQ_LOOKUP, -1 } };
	size_t i;

	if (in.n == 0)
		return (-1);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (in.p[0] == (uint8_t)types[i].type) {
			v->type = types[i].type;
			v->b = bytes_skip(in, 1);
			return (types[i].size == -1 ||
				    v->b.n == (size_t)types[i].size
				? 0
				: -1);
		}
	return (-1);
}

int
logseq_lookup_unpack(struct bytes in, struct logseq_lookup *l)
{
	if (list_next(&in, &l->a) != 1 || next_value(&in, &l->v) == -1 ||
	    list_next(&in, &l->text) != 1)
		return (-1);
	return (in.n == 0 ? 0 : -1);
}

int
logseq_item_pack(struct buf *b, const struct logseq_item *item)
{
	uint8_t op = (uint8_t)item->op;

	list_add(b, bytes_of(&op, 1));
	add_value(b, &item->e);
	if (item->op != LOGSEQ_OP_RETRACT_ENTITY) {
		list_add(b, item->a);
		add_value(b, &item->v);
	}
	return (b->failed ? -1 : 0);
}

int
logseq_item_unpack(struct bytes in, struct logseq_item *item)
{
	unsigned int op;

	memset(item, 0, sizeof(*item));
	item->v.type = LOGSEQ_NULL;
	if (next_octet(&in, LOGSEQ_OP_RETRACT_ENTITY, &op) == -1 || op == 0 ||
	    next_value(&in, &item->e) == -1)
		return (-1);
	item->op = (enum logseq_op)op;
	if (item->op == LOGSEQ_OP_RETRACT_ENTITY)
		return (in.n == 0 ? 0 : -1);
	if (list_next(&in, &item->a) != 1 || next_value(&in, &item->v) == -1)
		return (-1);
	return (in.n == 0 ? 0 : -1);
}

int
logseq_entry_pack(struct buf *b, const struct logseq_entry *e)
{
	uint8_t flags[2] = { e->seed != 0, e->broken != 0 };

	list_add(b, bytes_of(&flags[0], 1));
	list_add(b, bytes_of(&flags[1], 1));
	list_add(b, e->tx_id);
	list_add(b, e->op);
	list_add(b, e->op_json);
	add_u64(b, e->text);
	return (buf_add_bytes(b, e->items));
}

int
logseq_entry_unpack(struct bytes in, struct logseq_entry *e)
{
	unsigned int seed, broken;

	if (next_octet(&in, 1, &seed) == -1 ||
	    next_octet(&in, 1, &broken) == -1 ||
	    list_next(&in, &e->tx_id) != 1 || list_next(&in, &e->op) != 1 ||
	    list_next(&in, &e->op_json) != 1 || next_u64(&in, &e->text) == -1)
		return (-1);
	if (e->tx_id.n != 0 && e->tx_id.n != LOGSEQ_UUID_LEN)
		return (-1);
	e->seed = (int)seed;
	e->broken = (int)broken;
	e->items = in;
	return (0);
}

int
logseq_outcome_pack(struct buf *b, const struct logseq_outcome *o)
{
	add_u64(b, (uint64_t)o->result);
	add_u64(b, o->t);
	list_add(b, o->sum);
	list_add(b, o->failed_id);
	list_add(b, o->done_ids);
	list_add(b, o->missing);
	return (list_add(b, o->data));
}

int
logseq_outcome_unpack(struct bytes in, struct logseq_outcome *o)
{
	uint64_t result;

	if (next_u64(&in, &result) == -1 || result > LOGSEQ_CYCLE ||
	    next_u64(&in, &o->t) == -1 || list_next(&in, &o->sum) != 1 ||
	    list_next(&in, &o->failed_id) != 1 ||
	    list_next(&in, &o->done_ids) != 1 ||
	    list_next(&in, &o->missing) != 1 || list_next(&in, &o->data) != 1)
		return (-1);
	o->result = (enum logseq_result)result;
	return (in.n == 0 ? 0 : -1);
}

int
logseq_state_pack(struct buf *b, const struct logseq_state *s)
{
	add_u64(b, s->role);
	add_u64(b, s->ready);
	add_u64(b, s->e2ee);
	add_u64(b, s->t);
	add_u64(b, s->base);
	add_u64(b, s->uploading);
	add_u64(b, s->gen);
	list_add(b, s->sum);
	return (add_u64(b, s->staged));
}

int
logseq_state_unpack(struct bytes in, struct logseq_state *s)
{
	if (next_u64(&in, &s->role) == -1 || next_u64(&in, &s->ready) == -1 ||
	    next_u64(&in, &s->e2ee) == -1 || next_u64(&in, &s->t) == -1 ||
	    next_u64(&in, &s->base) == -1 ||
	    next_u64(&in, &s->uploading) == -1 ||
	    next_u64(&in, &s->gen) == -1 || list_next(&in, &s->sum) != 1 ||
	    next_u64(&in, &s->staged) == -1)
		return (-1);
	return (in.n == 0 ? 0 : -1);
}

int
logseq_pin_pack(struct buf *b, const struct logseq_pin *p)
{
	add_u64(b, p->gen);
	add_u64(b, p->t);
	add_u64(b, p->datoms);
	add_u64(b, p->indexed);
	add_u64(b, p->max_eid);
	add_u64(b, p->max_tx);
	return (add_u64(b, p->change));
}

int
logseq_pin_unpack(struct bytes in, struct logseq_pin *p)
{
	if (next_u64(&in, &p->gen) == -1 || next_u64(&in, &p->t) == -1 ||
	    next_u64(&in, &p->datoms) == -1 ||
	    next_u64(&in, &p->indexed) == -1 ||
	    next_u64(&in, &p->max_eid) == -1 ||
	    next_u64(&in, &p->max_tx) == -1 || next_u64(&in, &p->change) == -1)
		return (-1);
	return (in.n == 0 ? 0 : -1);
}

int
logseq_datom_pack(struct buf *b, const struct logseq_datom *d)
{
	uint8_t op = (uint8_t)d->op;

	list_add(b, bytes_of(&op, 1));
	add_u64(b, d->e);
	list_add(b, d->a);
	add_value(b, &d->v);
	return (add_u64(b, d->tx));
}

int
logseq_datom_unpack(struct bytes in, struct logseq_datom *d)
{
	unsigned int op;

	if (next_octet(&in, LOGSEQ_OP_RETRACT, &op) == -1 || op == 0 ||
	    next_u64(&in, &d->e) == -1 || list_next(&in, &d->a) != 1 ||
	    next_value(&in, &d->v) == -1 || next_u64(&in, &d->tx) == -1)
		return (-1);
	d->op = (enum logseq_op)op;
	return (in.n == 0 ? 0 : -1);
}

static int
add_u64(struct buf *b, uint64_t v)
{
	uint8_t octets[8];

	be64_put(octets, v);
	return (list_add(b, bytes_of(octets, sizeof(octets))));
}

/* As list_add of the packed value, without the copy. */
static int
add_value(struct buf *b, const struct logseq_value *v)
{
	buf_add_varint(b, v->b.n + 1);
	return (logseq_value_pack(b, v));
}

static int
next_u64(struct bytes *in, uint64_t *v)
{
	struct bytes b;

	if (list_next(in, &b) != 1 || b.n != 8)
		return (-1);
	*v = be64_get(b.p);
	return (0);
}

static int
next_value(struct bytes *in, struct logseq_value *v)
{
	struct bytes b;

	return (list_next(in, &b) == 1 ? logseq_value_unpack(b, v) : -1);
}

static int
next_octet(struct bytes *in, unsigned int max, unsigned int *v)
{
	struct bytes b;

	if (list_next(in, &b) != 1 || b.n != 1 || b.p[0] > max)
		return (-1);
	*v = b.p[0];
	return (0);
}

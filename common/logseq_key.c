/*
 * How datoms stand in the registers of a graph: keys whose order of octets is
 * the order of Datascript, and back.
 */
#include <sodium.h>

#include "common/logseq.h"

#define SORT_MAX_BYTES	256u /* of a string in a key; longer ones are cut */
#define SORT_KEEP_BYTES 224u
#define SORT_CUT	0xffu /* in no UTF-8 */

static void sort_text(struct buf *, struct bytes);
static int attr_take(struct bytes *, struct bytes *attr);

void
logseq_int_put(uint8_t out[8], int64_t v)
{
	be64_put(out, (uint64_t)v ^ ((uint64_t)1 << 63));
}

int64_t
logseq_int_get(struct bytes b)
{
	return ((int64_t)(be64_get(b.p) ^ ((uint64_t)1 << 63)));
}

void
logseq_float_put(uint8_t out[8], double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	bits ^= (bits >> 63) != 0 ? UINT64_MAX : (uint64_t)1 << 63;
	be64_put(out, bits);
}

double
logseq_float_get(struct bytes b)
{
	uint64_t bits = be64_get(b.p);
	double v;

	bits ^= (bits >> 63) != 0 ? (uint64_t)1 << 63 : UINT64_MAX;
	memcpy(&v, &bits, sizeof(v));
	return (v);
}

void
logseq_prefix(uint8_t out[LOGSEQ_PREFIX_LEN], char kind, uint64_t gen)
{
	out[0] = (uint8_t)kind;
	be32_put(out + 1, (uint32_t)gen);
}

/* A name without a namespace sorts before all that have one. */
int
logseq_attr_key(struct buf *b, struct bytes name)
{
	const uint8_t *slash;
	size_t ns = 0;

	if (name.n == 0 || name.n > LOGSEQ_ATTR_MAX ||
	    memchr(name.p, 0, name.n) != NULL)
		return (-1);
	slash = memchr(name.p, '/', name.n);
	if (slash != NULL && slash > name.p && slash + 1 < name.p + name.n)
		ns = (size_t)(slash - name.p);
	buf_add(b, name.p, ns);
	buf_add_u8(b, 0);
	buf_add_bytes(b, bytes_skip(name, ns == 0 ? 0 : ns + 1));
	return (buf_add_u8(b, 0));
}

int
logseq_attr_name(struct buf *b, struct bytes attr)
{
	const uint8_t *nul;
	struct bytes name;

	if (attr.n < 2 || (nul = memchr(attr.p, 0, attr.n)) == NULL)
		return (-1);
	name = bytes_skip(attr, (size_t)(nul - attr.p) + 1);
	if (name.n < 2)
		return (-1);
	name.n--;
	if (nul > attr.p) {
		buf_add(b, attr.p, (size_t)(nul - attr.p));
		buf_add_u8(b, '/');
	}
	return (buf_add_bytes(b, name));
}

int
logseq_sort_key(struct buf *b, const struct logseq_value *v)
{
	uint8_t hash[crypto_generichash_BYTES];

	buf_add_u8(b, (uint8_t)v->type);
	if (v->b.n > SORT_MAX_BYTES) {
		crypto_generichash(hash, sizeof(hash), v->b.p, v->b.n, NULL, 0);
		sort_text(b, bytes_of(v->b.p, SORT_KEEP_BYTES));
		buf_add_u8(b, SORT_CUT);
		buf_add(b, hash, sizeof(hash));
	} else if (v->type == LOGSEQ_STRING) {
		sort_text(b, v->b);
	} else if (v->type != LOGSEQ_KEYWORD ||
	    logseq_attr_key(b, v->b) == -1) {
		buf_add_bytes(b, v->b);
	}
	return (b->failed ? -1 : 0);
}

int
logseq_datom_of_reg(struct bytes key, struct bytes val, struct logseq_datom *d)
{
	struct bytes rest = bytes_skip(key, LOGSEQ_PREFIX_LEN);

	if (key.n < LOGSEQ_PREFIX_LEN + 8 || val.n < 9)
		return (-1);
	switch (key.p[0]) {
	case LOGSEQ_REG_EAVT:
		d->e = be64_get(rest.p);
		rest = bytes_skip(rest, 8);
		if (attr_take(&rest, &d->a) == -1)
			return (-1);
		break;
	case LOGSEQ_REG_AEVT:
		if (attr_take(&rest, &d->a) == -1 || rest.n < 8)
			return (-1);
		d->e = be64_get(rest.p);
		break;
	case LOGSEQ_REG_AVET:
		if (attr_take(&rest, &d->a) == -1 || rest.n < 8)
			return (-1);
		d->e = be64_get(rest.p + rest.n - 8);
		break;
	default:
		return (-1);
	}
	d->op = LOGSEQ_OP_ADD;
	d->tx = be64_get(val.p);
	return (logseq_value_unpack(bytes_skip(val, 8), &d->v));
}

/*
 * Datascript compares UTF-16: what needs two units sorts before U+E000.  So the
 * two octets that begin a character from there on move behind all others.
 */
static void
sort_text(struct buf *b, struct bytes text)
{
	uint8_t *to = buf_room(b, text.n);
	size_t i;

	if (to == NULL)
		return;
	for (i = 0; i < text.n; i++)
		to[i] = (uint8_t)(text.p[i] == 0xee || text.p[i] == 0xef
			? text.p[i] + 7
			: text.p[i]);
	buf_grow(b, text.n);
}

static int
attr_take(struct bytes *in, struct bytes *attr)
{
	const uint8_t *nul = in->n == 0 ? NULL : memchr(in->p, 0, in->n);
	size_t n;

	if (nul == NULL)
		return (-1);
	n = (size_t)(nul - in->p) + 1;
	if (n == in->n || (nul = memchr(in->p + n, 0, in->n - n)) == NULL)
		return (-1);
	n = (size_t)(nul - in->p) + 1;
	*attr = bytes_of(in->p, n);
	*in = bytes_skip(*in, n);
	return (0);
}

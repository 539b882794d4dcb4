/*
 * Frames: from struct msg to octets and back, by the table in ipc.def.
 *
 * msgpack-c packs.  It does not unpack: its unpacker allocates by declared
 * counts, so a frame has to be walked before it may see one, and a walk that
 * has checked every count, type and length against the table has met every
 * value as well; it stores them as it goes.  (tests/unit/test_ipc.c sees to it
 * that msgpack-c's unpacker reads the same from the same octets.)
 *
 * Only the shortest form of a number or length is accepted, the one msgpack-c
 * writes: a message has one frame and a frame one message.
 */
#include <errno.h>

#include <msgpack.h>

#include "common/limits.h"
#include "common/scope.h"

#include "common/ipc.h"

#define IPC_LENGTH_BYTES 4
#define IPC_HEAD_BYTES	 2 /* the array's octet and the type's */
#define IPC_NUMBER_MAX	 9 /* octets of the longest number */
#define IPC_BIN_HEAD_MAX 5

/* The first octets of what msgpack calls its formats. */
enum {
	MP_FIXARRAY = 0x90,
	MP_BIN8 = 0xc4,
	MP_BIN32 = 0xc6,
	MP_UINT8 = 0xcc,
	MP_UINT64 = 0xcf,
	MP_INT8 = 0xd0,
	MP_INT64 = 0xd3,
	MP_NEGATIVE_FIXINT = 0xe0
};

static int ipc_check(const struct ipc_row *, const struct msg *);
static void ipc_pack_head(struct buf *, msgpack_packer *,
    const struct ipc_row *, const struct msg *);
static void ipc_pack_field(msgpack_packer *, const struct ipc_row *,
    const struct msg *, size_t);
static int ipc_write(void *, const char *, size_t);
static const struct ipc_row *ipc_head(struct bytes, enum ipc_sender);
static size_t ipc_frame_max(const struct ipc_row *);
static int ipc_walk(struct bytes, const struct ipc_row *, struct msg *);
static int ipc_walk_field(struct bytes *, const struct ipc_field_row *,
    struct msg *, size_t);
static int ipc_take_u64(struct bytes *, uint64_t *);
static int ipc_take_i64(struct bytes *, int64_t *);
static int ipc_take_bin(struct bytes *, size_t max, struct bytes *);
static int ipc_take_be(struct bytes *, size_t width, uint64_t *);
static uint32_t le32_get(const uint8_t *);
static void le32_put(uint8_t *, uint32_t);

/* The words ipc.def uses for the states. */
enum {
	NEW = IPC_NEW,
	GREETED = IPC_GREETED,
	GRANTED = IPC_GRANTED,
	OPENING = IPC_OPENING,
	OPEN = IPC_OPEN_STATE
};

/* A message's number by its lower-case name, for its fields' rows. */
enum {
#define MESSAGE(no, NAME, name, sender, states, scope) name##_no = (no),
#define FIELD(message, type, field, max)
#include "common/ipc.def"
#undef MESSAGE
#undef FIELD
	ipc_no_end
};

/* One octet and one more a field: sizes to count by, never objects. */
struct none_size {
	char first;
#define MESSAGE(no, NAME, name, sender, states, scope)                         \
	}                                                                      \
	;                                                                      \
	struct name##_size {                                                   \
		char first;
#define FIELD(message, type, field, max) char field;
#include "common/ipc.def"
#undef MESSAGE
#undef FIELD
};

static const struct ipc_row ipc_rows[IPC_COUNT] = {
#define MESSAGE(no, NAME, mname, from, in, least)                              \
	[no].name = #mname, [no].sender = IPC_FROM_##from, [no].states = (in), \
	[no].scope = SCOPE_##least,                                            \
	[no].nfields = sizeof(struct mname##_size) - 1,
#define FIELD(message, ftype, fname, most)                                     \
	[message##_no].field[message##_##fname].name = #fname,                 \
	[message##_no].field[message##_##fname].type = IPC_##ftype,            \
	[message##_no].field[message##_##fname].max = (most),
#include "common/ipc.def"
#undef MESSAGE
#undef FIELD
};

const struct ipc_row *
ipc_row(unsigned int type)
{
	if (type >= IPC_COUNT || ipc_rows[type].name == NULL)
		return (NULL);
	return (&ipc_rows[type]);
}

const char *
ipc_name(unsigned int type)
{
	const struct ipc_row *row = ipc_row(type);

	return (row == NULL ? "?" : row->name);
}

int
ipc_pack(struct buf *out, const struct msg *m)
{
	const struct ipc_row *row = ipc_row(m->type);
	size_t before = out->len, body, i;
	msgpack_packer pk;

	if (row == NULL) {
		errno = EINVAL;
		return (-1);
	}
	if (ipc_check(row, m) == -1)
		return (-1);
	ipc_pack_head(out, &pk, row, m);
	for (i = 0; i < row->nfields; i++)
		ipc_pack_field(&pk, row, m, i);
	body = out->len - before - IPC_LENGTH_BYTES;
	if (out->failed) {
		buf_trunc(out, before);
		errno = ENOMEM;
		return (-1);
	}
	if (body > IPC_FRAME_MAX_BYTES) {
		buf_trunc(out, before);
		errno = EMSGSIZE;
		return (-1);
	}
	le32_put(out->mem + out->off + before, (uint32_t)body);
	return (0);
}

int
ipc_pack_front(struct buf *body, const struct msg *m)
{
	const struct ipc_row *row = ipc_row(m->type);
	struct buf head = BUF_INIT;
	msgpack_packer pk;
	size_t i, frame;
	int r = -1;

	if (row == NULL || ipc_check(row, m) == -1)
		return (-1);
	ipc_pack_head(&head, &pk, row, m);
	for (i = 0; i + 1 < row->nfields; i++)
		ipc_pack_field(&pk, row, m, i);
	msgpack_pack_bin(&pk, body->len);
	frame = head.len - IPC_LENGTH_BYTES + body->len;
	if (frame > IPC_FRAME_MAX_BYTES) {
		errno = EMSGSIZE;
	} else if (!head.failed && head.len <= body->off) {
		le32_put(head.mem, (uint32_t)frame);
		body->off -= head.len;
		body->len += head.len;
		memcpy(body->mem + body->off, head.mem, head.len);
		r = 0;
	}
	buf_free(&head);
	return (r);
}

ssize_t
ipc_unpack(struct bytes in, enum ipc_sender sender, struct msg *m)
{
	const struct ipc_row *row;
	size_t n;

	if (in.n < IPC_LENGTH_BYTES)
		return (0);
	n = le32_get(in.p);
	if (n < IPC_HEAD_BYTES || n > IPC_FRAME_MAX_BYTES)
		return (-1);
	in = bytes_skip(in, IPC_LENGTH_BYTES);
	if (in.n < IPC_HEAD_BYTES)
		return (0);
	/* Before waiting for n octets: can this message be that long at all? */
	row = ipc_head(in, sender);
	if (row == NULL || n > ipc_frame_max(row))
		return (-1);
	if (in.n < n)
		return (0);
	if (ipc_walk(bytes_of(in.p + IPC_HEAD_BYTES, n - IPC_HEAD_BYTES), row,
		m) == -1)
		return (-1);
	m->type = in.p[1];
	return ((ssize_t)(IPC_LENGTH_BYTES + n));
}

static int
ipc_check(const struct ipc_row *row, const struct msg *m)
{
	size_t i, sum = 0;

	for (i = 0; i < row->nfields; i++) {
		if (row->field[i].type != IPC_BYTES)
			continue;
		sum += m->f[i].b.n;
		if (m->f[i].b.n > row->field[i].max ||
		    sum > IPC_FRAME_MAX_BYTES) {
			errno = EMSGSIZE;
			return (-1);
		}
	}
	return (0);
}

/* What fails from here on has failed in ipc_write and is marked in the buffer.
 */
static void
ipc_pack_head(struct buf *out, msgpack_packer *pk, const struct ipc_row *row,
    const struct msg *m)
{
	buf_add_be32(out, 0); /* the length, known at the end */
	msgpack_packer_init(pk, out, ipc_write);
	msgpack_pack_array(pk, row->nfields + 1);
	msgpack_pack_unsigned_int(pk, m->type);
}

static void
ipc_pack_field(msgpack_packer *pk, const struct ipc_row *row,
    const struct msg *m, size_t i)
{
	switch (row->field[i].type) {
	case IPC_U64:
		msgpack_pack_uint64(pk, m->f[i].u);
		break;
	case IPC_I64:
		msgpack_pack_int64(pk, m->f[i].i);
		break;
	case IPC_BYTES:
		msgpack_pack_bin_with_body(pk, m->f[i].b.p, m->f[i].b.n);
		break;
	}
}

static int
ipc_write(void *out, const char *p, size_t n)
{
	return (buf_add(out, p, n));
}

/* The row that the first two octets name, if sender may send it. */
static const struct ipc_row *
ipc_head(struct bytes in, enum ipc_sender sender)
{
	const struct ipc_row *row = ipc_row(in.p[1]);

	if (row == NULL || row->sender != sender ||
	    in.p[0] != (MP_FIXARRAY | (row->nfields + 1)))
		return (NULL);
	return (row);
}

static size_t
ipc_frame_max(const struct ipc_row *row)
{
	size_t i, n = IPC_HEAD_BYTES;

	for (i = 0; i < row->nfields; i++)
		n += row->field[i].type == IPC_BYTES
		    ? IPC_BIN_HEAD_MAX + row->field[i].max
		    : IPC_NUMBER_MAX;
	return (n);
}

/* in: everything behind the type. */
static int
ipc_walk(struct bytes in, const struct ipc_row *row, struct msg *m)
{
	size_t i;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < row->nfields; i++)
		if (ipc_walk_field(&in, &row->field[i], m, i) == -1)
			return (-1);
	return (in.n == 0 ? 0 : -1);
}

static int
ipc_walk_field(struct bytes *in, const struct ipc_field_row *field,
    struct msg *m, size_t i)
{
	if (in->n == 0)
		return (-1);
	switch (field->type) {
	case IPC_U64:
		return (ipc_take_u64(in, &m->f[i].u));
	case IPC_I64:
		return (ipc_take_i64(in, &m->f[i].i));
	case IPC_BYTES:
		return (ipc_take_bin(in, field->max, &m->f[i].b));
	}
	return (-1);
}

/* Each width begins where the one below it ends: 0x80, 2^8, 2^16, 2^32. */
static int
ipc_take_u64(struct bytes *in, uint64_t *v)
{
	static const uint64_t least[] = { 0x80, 0x100, 0x10000, 0x100000000 };
	uint8_t form = in->p[0];

	if (form < 0x80) {
		*v = form;
		*in = bytes_skip(*in, 1);
		return (0);
	}
	if (form < MP_UINT8 || form > MP_UINT64)
		return (-1);
	*in = bytes_skip(*in, 1);
	if (ipc_take_be(in, (size_t)1 << (form - MP_UINT8), v) == -1)
		return (-1);
	return (*v >= least[form - MP_UINT8] ? 0 : -1);
}

/* What is not negative is written as an unsigned number. */
static int
ipc_take_i64(struct bytes *in, int64_t *v)
{
	static const int64_t most[] = { -33, INT8_MIN - 1, INT16_MIN - 1,
		(int64_t)INT32_MIN - 1 };
	uint8_t form = in->p[0];
	unsigned int bits;
	uint64_t u;

	if (form >= MP_NEGATIVE_FIXINT) {
		*v = (int64_t)form - 0x100;
		*in = bytes_skip(*in, 1);
		return (0);
	}
	if (form < MP_INT8 || form > MP_INT64) {
		if (ipc_take_u64(in, &u) == -1 || u > INT64_MAX)
			return (-1);
		*v = (int64_t)u;
		return (0);
	}
	*in = bytes_skip(*in, 1);
	if (ipc_take_be(in, (size_t)1 << (form - MP_INT8), &u) == -1)
		return (-1);
	bits = 8u << (form - MP_INT8);
	if (u >> (bits - 1) == 0)
		return (-1);
	/* Two's complement without a conversion that C leaves open. */
	*v = -(int64_t)(~u & UINT64_MAX >> (64 - bits)) - 1;
	return (*v <= most[form - MP_INT8] ? 0 : -1);
}

static int
ipc_take_bin(struct bytes *in, size_t max, struct bytes *b)
{
	static const uint64_t least[] = { 0, 0x100, 0x10000 };
	uint8_t form = in->p[0];
	uint64_t n;

	if (form < MP_BIN8 || form > MP_BIN32)
		return (-1);
	*in = bytes_skip(*in, 1);
	if (ipc_take_be(in, (size_t)1 << (form - MP_BIN8), &n) == -1)
		return (-1);
	if (n < least[form - MP_BIN8] || n > in->n || n > max)
		return (-1);
	*b = bytes_of(in->p, (size_t)n);
	*in = bytes_skip(*in, (size_t)n);
	return (0);
}

static int
ipc_take_be(struct bytes *in, size_t width, uint64_t *v)
{
	size_t i;

	if (in->n < width)
		return (-1);
	*v = 0;
	for (i = 0; i < width; i++)
		*v = *v << 8 | in->p[i];
	*in = bytes_skip(*in, width);
	return (0);
}

static uint32_t
le32_get(const uint8_t *p)
{
	return ((uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[1] << 8 | (uint32_t)p[0]);
}

static void
le32_put(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

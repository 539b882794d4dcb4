/*
 * Frames, and the lists inside their fields.  What is let in must pack to the
 * same octets again and mean the same to msgpack-c; a cut frame must ask for
 * more or be refused, never be taken.
 */
#include <stdlib.h>

#include <msgpack.h>

#include "common/ipc.h"
#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

static size_t fuzz_frame(struct bytes, enum ipc_sender);
static void fuzz_cut(struct bytes, enum ipc_sender);
static void fuzz_msgpack(struct bytes, const struct msg *);
static int fuzz_same(const msgpack_object *, const struct msg *, size_t);
static void fuzz_lists(struct bytes);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	size_t worker, broker;

	/* A stream of frames, each from whichever side may send it. */
	while (in.n > 0) {
		worker = fuzz_frame(in, IPC_FROM_WORKER);
		broker = fuzz_frame(in, IPC_FROM_BROKER);
		must(worker == 0 || broker == 0);
		if (worker + broker == 0)
			break;
		in = bytes_skip(in, worker + broker);
	}
	fuzz_lists(in);
	return (0);
}

/* Octets of the frame at the front, 0 if there is none. */
static size_t
fuzz_frame(struct bytes in, enum ipc_sender sender)
{
	struct buf out = BUF_INIT;
	const struct ipc_row *row;
	struct msg m;
	ssize_t n = ipc_unpack(in, sender, &m);
	size_t i;

	must(n >= -1 && n <= (ssize_t)in.n);
	if (n <= 0)
		return (0);
	in.n = (size_t)n;
	must((row = ipc_row(m.type)) != NULL && row->sender == sender);
	must(ipc_pack(&out, &m) == 0);
	must(bytes_eq(buf_bytes(&out), in));
	buf_free(&out);
	fuzz_cut(in, sender);
	fuzz_msgpack(bytes_skip(in, 4), &m);
	for (i = 0; i < row->nfields; i++)
		if (row->field[i].type == IPC_BYTES)
			fuzz_lists(m.f[i].b);
	return (in.n);
}

static void
fuzz_cut(struct bytes in, enum ipc_sender sender)
{
	struct msg m;
	uint8_t *cut;
	size_t n = in.n - 1 - (in.n * 7 + in.p[in.n - 1]) % in.n;

	must((cut = malloc(n > 0 ? n : 1)) != NULL);
	if (n > 0)
		memcpy(cut, in.p, n);
	must(ipc_unpack(bytes_of(cut, n), sender, &m) == 0);
	free(cut);
}

static void
fuzz_msgpack(struct bytes body, const struct msg *m)
{
	const struct ipc_row *row = ipc_row(m->type);
	msgpack_unpacked u;
	size_t i, off = 0;

	msgpack_unpacked_init(&u);
	must(msgpack_unpack_next(&u, (const char *)body.p, body.n, &off) ==
	    MSGPACK_UNPACK_SUCCESS);
	must(off == body.n && u.data.type == MSGPACK_OBJECT_ARRAY &&
	    u.data.via.array.size == row->nfields + 1);
	for (i = 0; i < row->nfields; i++)
		must(fuzz_same(&u.data.via.array.ptr[i + 1], m, i));
	msgpack_unpacked_destroy(&u);
}

static int
fuzz_same(const msgpack_object *o, const struct msg *m, size_t i)
{
	switch (ipc_row(m->type)->field[i].type) {
	case IPC_U64:
		return (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
		    o->via.u64 == m->f[i].u);
	case IPC_I64:
		return ((o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
			    o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) &&
		    o->via.i64 == m->f[i].i);
	case IPC_BYTES:
		return (o->type == MSGPACK_OBJECT_BIN &&
		    bytes_eq(bytes_of(o->via.bin.ptr, o->via.bin.size),
			m->f[i].b));
	}
	return (0);
}

/* Both readings of a field; whatever was taken packs to what was read. */
static void
fuzz_lists(struct bytes field)
{
	struct bytes in = field, s;
	struct buf out = BUF_INIT;
	struct entry e;

	while (list_next(&in, &s) == 1)
		must(list_add(&out, s) == 0);
	must(bytes_eq(buf_bytes(&out), bytes_of(field.p, field.n - in.n)));
	buf_clear(&out);
	in = field;
	while (entry_unpack(&in, &e) == 1)
		must(entry_pack(&out, &e) == 0);
	must(bytes_eq(buf_bytes(&out), bytes_of(field.p, field.n - in.n)));
	buf_free(&out);
}

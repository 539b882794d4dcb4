/*
 * The messages of ipc.def in memory and on the wire.
 *
 * On the wire a frame is a length (four octets, little endian, of what
 * follows) and one msgpack array: the message's number, then its fields in
 * the order of the table, each an unsigned or signed integer or a bin.
 *
 * msgpack-c's unpacker believes declared counts, so a frame is walked first:
 * exact number of fields, exact types, lengths against what is left and
 * against the table, nothing left over.  Only then is it decoded.
 */
#ifndef QUIRE_IPC_H
#define QUIRE_IPC_H

#include <sys/types.h>

#include "common/buf.h"
#include "common/bytes.h"

#define IPC_FIELDS_MAX 10

enum ipc_type {
#define MESSAGE(no, NAME, name, sender, states, scope) IPC_##NAME = (no),
#define FIELD(message, type, field, max)
#include "common/ipc.def"
#undef MESSAGE
#undef FIELD
	IPC_COUNT
};

/*
 * Field indexes within their message: submit_tag is 0, submit_verb is 1 ...
 * (an enumerator follows its predecessor, and each message restarts at -1).
 */
enum ipc_field {
#define MESSAGE(no, NAME, name, sender, states, scope) name##_none = -1,
#define FIELD(message, type, field, max)	       message##_##field,
#include "common/ipc.def"
#undef MESSAGE
#undef FIELD
};

/* What HELLO says of its sender. */
enum hello_kind { HELLO_WORKER, HELLO_LISTENER, HELLO_WAITS };

enum ipc_sender { IPC_FROM_WORKER, IPC_FROM_BROKER };

/* Session states, a bit each: see ipc.def. */
enum ipc_state {
	IPC_NEW = 1,
	IPC_GREETED = 2,
	IPC_GRANTED = 4,
	IPC_OPENING = 8,
	IPC_OPEN_STATE = 16
};

struct ipc_field_row {
	const char *name;
	enum { IPC_U64, IPC_I64, IPC_BYTES } type;
	size_t max;
};

struct ipc_row {
	const char *name;
	enum ipc_sender sender;
	unsigned int states;
	unsigned int scope; /* enum scope */
	unsigned int nfields;
	struct ipc_field_row field[IPC_FIELDS_MAX];
};

/* The row of a type, or NULL when there is none. */
const struct ipc_row *ipc_row(unsigned int type);
const char *ipc_name(unsigned int type);

/*
 * One message.  BYTES fields borrow: from the frame after ipc_unpack, from
 * the caller before ipc_pack.  Fields not set are 0 or empty.
 */
struct msg {
	unsigned int type;
	union {
		uint64_t u;
		int64_t i;
		struct bytes b;
	} f[IPC_FIELDS_MAX];
};

#define MSG(NAME)                                                              \
	{                                                                      \
		.type = IPC_##NAME                                             \
	}

/* Appends the frame to out.  0, or -1: no memory, or a field over its max. */
int ipc_pack(struct buf *out, const struct msg *);

/*
 * Makes the frame of a message whose last field is all of body, in place: what
 * comes before is put into the room in front.  -1, with body as it was, also
 * where there is too little of that: IPC_FRONT_BYTES do, if no other field has
 * octets.
 */
#define IPC_FRONT_BYTES 128u
int ipc_pack_front(struct buf *body, const struct msg *);

/*
 * One frame at the front of in: octets used, 0 when more is needed, -1 when it
 * can never become valid (too long, unknown type, wrong sender, wrong fields).
 */
ssize_t ipc_unpack(struct bytes in, enum ipc_sender, struct msg *);

#endif

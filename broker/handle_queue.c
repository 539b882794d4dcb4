/* Messages that are decided in a batch: copied, queued, answered later. */
#include "broker/broker.h"

int
handle_queue(struct session *s, const struct msg *m)
{
	/* The document that is being left is not the one to be opened. */
	struct doc *d = m->type == IPC_OPEN ? NULL : s->doc;
	struct op *op;
	struct msg again;

	if ((op = batch_add(s->broker, s, d)) == NULL)
		return (-1);
	/* A frame of its own for the fields to point into. */
	if (ipc_pack(&op->frame, m) == -1 ||
	    ipc_unpack(buf_bytes(&op->frame), IPC_FROM_WORKER, &again) <= 0)
		return (-1);
	op->msg = again;
	if (m->type == IPC_SUBMIT && s->waits)
		op->number = ++s->submits;
	op->bytes = op->frame.len;
	s->ops_bytes += op->bytes;
	batch_kick(s->broker);
	return (0);
}

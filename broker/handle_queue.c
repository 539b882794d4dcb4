/* Messages that are decided in a batch: copied, queued, answered later. */
#include "broker/broker.h"
#include "common/limits.h"

static size_t queue_answer(const struct msg *);

int
handle_queue(struct session *s, const struct msg *m)
{
	/* The document that is being left is not the one to be opened. */
	int newcomer =
	    m->type == IPC_OPEN || (m->type == IPC_FETCH && s->opening != NULL);
	struct doc *d = newcomer ? NULL : s->doc;
	struct op *op;
	struct msg again;

	if ((op = batch_add(s->broker, s, d)) == NULL)
		return (-1);
	/* A frame of its own for the fields to point into. */
	if (ipc_pack(&op->frame, m) == -1 ||
	    ipc_unpack(buf_bytes(&op->frame), IPC_FROM_WORKER, &again) <= 0)
		return (-1);
	op->msg = again;
	if (m->type == IPC_OPEN)
		s->opening = op;
	if (m->type == IPC_SUBMIT && s->waits)
		op->number = ++s->submits;
	op->bytes = op->frame.len;
	op->answer = queue_answer(m);
	s->ops_bytes += op->bytes + op->answer;
	batch_kick(s->broker);
	return (0);
}

/* What is asked for counts before it is read: a few words ask for much. */
static size_t
queue_answer(const struct msg *m)
{
	uint64_t limit = m->f[fetch_limit].u;

	if (m->type != IPC_FETCH)
		return (0);
	return (limit == 0 || limit > FETCH_MAX_BYTES ? FETCH_MAX_BYTES
						      : (size_t)limit);
}

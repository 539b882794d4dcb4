/*
 * Messages from and to the client: counted, and told one by one to an operator
 * who traces them.  How large they are, and nothing of what is in them.
 */
#include <sys/uio.h>

#include "common/log.h"
#include "worker/conn_internal.h"

static void note_tell(struct conn *, enum ipc_type, unsigned int kind,
    uint64_t size);

void
note_heard(struct conn *c, unsigned int kind, uint64_t size)
{
	tally_add(c, tally_messages_in, 1);
	note_tell(c, IPC_HEARD, kind, size);
}

void
note_said(struct conn *c, unsigned int kind, uint64_t size)
{
	tally_add(c, tally_messages_out, 1);
	note_tell(c, IPC_SAID, kind, size);
}

void
note_frames(struct conn *c, const struct iovec *iov, int n)
{
	int i;

	if (!c->watched) {
		tally_add(c, tally_messages_out, (uint64_t)n);
		return;
	}
	for (i = 0; i < n; i++)
		note_said(c, *(const uint8_t *)iov[i].iov_base & 0x0f,
		    iov[i].iov_len);
}

/* Option -v asks for more than any of it.  What is so already is not written:
 * each worker would come to own the page. */
int
note_level(uint64_t level)
{
	if (level > LOG_LEVEL_DEBUG)
		return (-1);
	if (log_level_asked() != LOG_LEVEL_DEBUG && level != log_level_get())
		log_level_set((enum log_level)level);
	return (0);
}

/* While it is watched, all that goes to the client goes through us. */
int
note_watch(struct conn *c, const struct msg *m)
{
	if (note_level(m->f[watch_level].u) == -1)
		return (-1);
	c->watched = m->f[watch_client].u != 0;
	return (0);
}

/* Where there is no room for it, it is not worth waiting. */
static void
note_tell(struct conn *c, enum ipc_type type, unsigned int kind, uint64_t size)
{
	struct msg m = { .type = type };

	if (!c->watched || again_waits(c) || !TAILQ_EMPTY(&c->ops) ||
	    chan_pending(&c->link) > CONN_HIGH_BYTES)
		return;
	m.f[heard_kind].u = kind;
	m.f[heard_size].u = size;
	link_send(c, &m);
}

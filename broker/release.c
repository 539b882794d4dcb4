/*
 * What follows a durable batch, operation by operation in order: frames into
 * the ring, then the answer.  The bells are rung after the last one and the
 * answers leave after the bells: commit, publish, reply.
 */
#include <string.h>
#include <time.h>

#include "broker/area.h"
#include "broker/garbage.h"
#include "broker/lanes.h"
#include "broker/trace.h"
#include "common/log.h"
#include "common/wire.h"

static void release_opened(struct op *);
static void release_verdict(struct op *);
static void release_fetched(struct op *);
static void release_blob(struct op *);
static void release_quiet(struct op *);

static void (*const releasers[IPC_COUNT])(struct op *) = {
	[IPC_OPEN] = release_opened,
	[IPC_SUBMIT] = release_verdict,
	[IPC_SIGNAL] = release_quiet,
	[IPC_CARD] = release_quiet,
	[IPC_FETCH] = release_fetched,
	[IPC_BLOB_PUT] = release_blob,
	[IPC_BLOB_DATA] = release_blob,
	[IPC_BLOB_DONE] = release_verdict,
	[IPC_SYNC] = release_verdict,
	[IPC_CLOSE] = release_quiet,
};

void
release(struct broker *b, struct op *op)
{
	struct effect *e;
	uint64_t before = 0;

	if (op->detached && op->had_ring)
		doc_left(op->doc,
		    op->session->kicked ? (int64_t)time(NULL) : op->until_s);
	if (op->effects != NULL)
		doc_freshen(b, op->doc);
	if (op->doc != NULL && op->doc->ring.fd != -1)
		before = ring_end(&op->doc->ring);
	if (op->garbage && !b->stopping)
		garbage_start(b);
	for (e = op->effects; e != NULL; e = e->next)
		if (e->kick == CODE_OK)
			doc_publish(b, op->doc, e);
		else
			doc_kick(op->doc, e);
	absent_moved(b, op);
	if (op->signal.len > 0 && op->code == CODE_OK)
		doc_blob_add(b, op->doc,
		    op->effects == NULL ? 0 : op->effects->p.blob, &op->signal);
	if (op->doc != NULL && op->doc->ring.fd != -1) {
		doc_blobs_settle(b, op->doc);
		op->position = ring_end(&op->doc->ring);
	}
	if (op->code != CODE_OK && !op->leave)
		metrics_refused(b, op->code);
	if (op->leave || op->session->dead || op->msg.type >= IPC_COUNT ||
	    releasers[op->msg.type] == NULL)
		return;
	/* A newcomer's live stream begins before its own join. */
	if (op->msg.type == IPC_OPEN)
		op->position = before;
	releasers[op->msg.type](op);
}

static void
release_opened(struct op *op)
{
	struct session *s = op->session;
	struct msg m = MSG(OPENED);
	int fds[2];

	m.f[opened_code].u = op->code;
	m.f[opened_info].b = buf_bytes(&op->info);
	if (op->code != CODE_OK) {
		session_send(s, &m);
		return;
	}
	m.f[opened_seq].u = op->seq;
	m.f[opened_oldest].u = op->oldest;
	m.f[opened_position].u = op->position;
	m.f[opened_ring].u = op->doc->ring.bytes;
	m.f[opened_message_max].u = session_message_max(s, op->doc);
	m.f[opened_roster].b = buf_bytes(&op->roster);
	fds[0] = op->doc->reader_fd;
	fds[1] = op->doc->bell.wait_fd;
	if (chan_send_fds(&s->chan, &m, fds, 2) == -1) {
		log_warn("session %llu: descriptors",
		    (unsigned long long)s->id);
		session_close(s);
		return;
	}
	trace(s, &m, TRACE_OUT);
	lanes_expect(s);
	s->has_ring = 1;
}

static void
release_verdict(struct op *op)
{
	struct msg m = MSG(VERDICT);
	const struct msg *in = &op->msg;

	m.f[verdict_tag].u = in->type == IPC_SUBMIT ? in->f[submit_tag].u
	    : in->type == IPC_SYNC		    ? in->f[sync_tag].u
						    : in->f[blob_done_tag].u;
	m.f[verdict_code].u = op->code;
	m.f[verdict_seq].u = op->seq;
	m.f[verdict_position].u = op->position;
	m.f[verdict_info].b = buf_bytes(&op->info);
	session_send(op->session, &m);
}

static void
release_fetched(struct op *op)
{
	struct msg m = MSG(FETCHED);

	m.f[fetched_tag].u = op->msg.f[fetch_tag].u;
	m.f[fetched_code].u = op->code;
	m.f[fetched_more].u = (uint64_t)op->more;
	/* As read: later operations of the batch may have moved the document's.
	 */
	m.f[fetched_seq].u = op->seq;
	m.f[fetched_oldest].u = op->oldest;
	m.f[fetched_position].u = op->position;
	if (op->info.fixed)
		m.f[fetched_area].u = op->info.len;
	else
		m.f[fetched_entries].b = buf_bytes(&op->info);
	session_send_body(op->session, &m, &op->info);
	if (!op->more)
		area_free(op->session);
}

/* The stream of a blob is answered at its end; a refusal in it ends it all. */
static void
release_blob(struct op *op)
{
	if (op->code == CODE_OK)
		return;
	session_kick(op->session, op->code);
	session_close(op->session);
}

static void
release_quiet(struct op *op)
{
	if (op->code != CODE_OK)
		log_debug("session %llu: %s refused code=%s",
		    (unsigned long long)op->session->id, ipc_name(op->msg.type),
		    code_name(op->code));
}

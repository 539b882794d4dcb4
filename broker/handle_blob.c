/*
 * Blobs on their way in.  Those for the store are staged slice by slice in
 * batches like everything else; those of signals never touch the disk and are
 * gathered in memory at once, within a bound for all sessions together.
 */
#include "broker/broker.h"
#include "common/limits.h"
#include "common/log.h"

static int blob_answer(struct session *, uint64_t tag, enum code, uint64_t id);

int
handle_blob_put(struct session *s, const struct msg *m)
{
	struct upload *u = &s->upload;

	if (m->f[blob_put_keep].u != 0)
		return (handle_queue(s, m));
	if (u->id != 0)
		return (-1);
	*u = (struct upload){ .id = BLOB_SIGNAL | ++s->broker->next_signal_blob,
		.max = (uint64_t)s->broker->conf->sds_message_max };
	return (0);
}

int
handle_blob_data(struct session *s, const struct msg *m)
{
	struct upload *u = &s->upload;
	struct bytes body = m->f[blob_data_body].b;

	if ((u->id & BLOB_SIGNAL) == 0)
		return (handle_queue(s, m));
	u->size += body.n;
	if (u->size > u->max ||
	    s->broker->signal_blob_bytes + u->size > SIGNAL_BLOBS_MAX_BYTES) {
		log_warnx("session %llu: signal over the bound",
		    (unsigned long long)s->id);
		session_kick(s, CODE_TOO_LARGE);
		return (0);
	}
	return (buf_add_bytes(&u->mem, body));
}

int
handle_blob_done(struct session *s, const struct msg *m)
{
	struct upload *u = &s->upload;
	size_t i;

	if ((u->id & BLOB_SIGNAL) == 0)
		return (handle_queue(s, m));
	for (i = 0; i < FINISHED_MAX; i++)
		if (s->finished[i].id == 0) {
			s->finished[i] =
			    (struct finished){ u->id, u->size, u->mem };
			*u = (struct upload){ 0 };
			return (blob_answer(s, m->f[blob_done_tag].u, CODE_OK,
			    s->finished[i].id));
		}
	return (-1);
}

static int
blob_answer(struct session *s, uint64_t tag, enum code code, uint64_t id)
{
	struct msg v = MSG(VERDICT);

	v.f[verdict_tag].u = tag;
	v.f[verdict_code].u = code;
	v.f[verdict_seq].u = id;
	session_send(s, &v);
	return (0);
}

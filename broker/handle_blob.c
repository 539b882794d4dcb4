/*
 * Blobs on their way in.  Those for the store are staged slice by slice in
 * batches like everything else; those of signals never touch the disk and are
 * gathered in memory at once, within a bound for all sessions together.
 */
#include "broker/broker.h"
#include "common/log.h"

static void blob_make_room(struct broker *, size_t);
static size_t blob_held(const struct session *);
static int blob_refuse(struct session *, enum code);
static int blob_answer(struct session *, uint64_t tag, enum code, uint64_t id);

int
handle_blob_put(struct session *s, const struct msg *m)
{
	struct upload *u = &s->upload;

	if (m->f[blob_put_keep].u != 0)
		return (handle_queue(s, m));
	if (u->id != 0)
		return (blob_refuse(s, CODE_BAD_STATE));
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
	if (u->size > u->max)
		return (blob_refuse(s, CODE_TOO_LARGE));
	blob_make_room(s->broker, body.n);
	if (s->kicked)
		return (0);
	if (buf_add_bytes(&u->mem, body) == -1)
		return (-1);
	s->broker->signal_blob_bytes += body.n;
	return (0);
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
	return (blob_refuse(s, CODE_BAD_STATE));
}

void
blob_forget(struct session *s)
{
	size_t i;

	s->broker->signal_blob_bytes -= blob_held(s);
	buf_free(&s->upload.mem);
	for (i = 0; i < FINISHED_MAX; i++) {
		buf_free(&s->finished[i].mem);
		if ((s->finished[i].id & BLOB_SIGNAL) != 0)
			s->finished[i].id = 0;
	}
}

/* Where all that is published has gone already, who holds most goes. */
static void
blob_make_room(struct broker *b, size_t n)
{
	struct session *s, *most;

	doc_blobs_make_room(b, n);
	while (b->signal_blob_bytes + n > SIGNAL_BLOBS_MAX_BYTES) {
		most = NULL;
		TAILQ_FOREACH(s, &b->sessions, entry)
			if (blob_held(s) > (most == NULL ? 0 : blob_held(most)))
				most = s;
		if (most == NULL)
			return;
		log_warnx("session %llu: holds most of too many signals",
		    (unsigned long long)most->id);
		blob_forget(most);
		session_kick(most, CODE_BUSY);
	}
}

static int
blob_refuse(struct session *s, enum code code)
{
	log_warnx("session %llu: blob refused code=%s",
	    (unsigned long long)s->id, code_name(code));
	session_kick(s, code);
	return (-1);
}

static size_t
blob_held(const struct session *s)
{
	size_t i, n = s->upload.mem.len;

	for (i = 0; i < FINISHED_MAX; i++)
		n += s->finished[i].mem.len;
	return (n);
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

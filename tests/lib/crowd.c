/*
 * What a client of the crowd does, and what it will not believe.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base64url.h"
#include "common/jwt.h"
#include "common/limits.h"
#include "common/log.h"
#include "tests/lib/crowd.h"

static int crowd_login(struct crowd *, struct crowd_client *, const char *);
static int crowd_wait(struct crowd *, struct crowd_client *, unsigned int type);
static int crowd_moved(struct crowd *, struct crowd_client *);
static int crowd_opened(struct crowd *, struct crowd_client *);
static void crowd_verdict(struct crowd *, struct crowd_client *,
    const struct crowd_due *);
static void crowd_fetched(struct crowd_client *, const struct crowd_due *);
static int crowd_window(struct crowd *, struct crowd_client *);
static void crowd_entry(struct crowd *, struct crowd_client *,
    const struct ring_entry *, struct bytes);
static void crowd_signal(struct crowd *, struct crowd_client *,
    const struct ring_entry *, struct bytes);
static void crowd_check(const struct crowd *, const struct crowd_seen *);
static uint64_t crowd_check_log(const struct crowd *, struct bytes entries,
    uint64_t after, uint64_t upto, uint64_t oldest);
static void crowd_check_entry(const struct crowd *, const struct entry *);

int
crowd_join(struct crowd *w, struct crowd_client *c, const char *scope)
{
	struct msg m = MSG(HELLO), open = MSG(OPEN);

	memset(&c->heard, 0, sizeof(c->heard));
	c->ndue = c->due_at = 0;
	c->signals = 0;
	c->answer = 0;
	c->lags = 0;
	if (peer_try(&c->peer, w->server) == -1)
		return (-1);
	c->up = 1;
	m.f[hello_version].u = IPC_VERSION;
	m.f[hello_peer].b = BYTES_LIT("model");
	peer_send(&c->peer, &m);
	if (crowd_wait(w, c, IPC_WELCOME) == -1)
		return (-1);
	c->peer.session = c->peer.m.f[welcome_session].u;
	if (crowd_login(w, c, scope) == -1)
		return (-1);
	open.f[open_dialect].u = w->dialect;
	open.f[open_name].b = bytes_str(w->name);
	peer_send(&c->peer, &open);
	if (crowd_wait(w, c, IPC_OPENED) == -1)
		return (-1);
	return (crowd_opened(w, c));
}

static int
crowd_login(struct crowd *w, struct crowd_client *c, const char *scope)
{
	char *token = server_token(w->server, w->name, scope, 3600);
	struct bytes input, mac64;
	struct msg m = MSG(LOGIN);
	uint8_t mac[64];
	ssize_t n;

	if (token_split(bytes_str(token), &input, &mac64) == -1 ||
	    (n = base64url_decode(mac, sizeof(mac), mac64)) == -1)
		fatalx(1, "token for %s", w->name);
	m.f[login_dialect].u = w->dialect;
	m.f[login_input].b = input;
	m.f[login_mac].b = bytes_of(mac, (size_t)n);
	m.f[login_store].b = bytes_str(w->name);
	peer_send(&c->peer, &m);
	free(token);
	return (crowd_wait(w, c, IPC_GRANT));
}

void
crowd_say(struct crowd_client *c, const struct msg *m,
    const struct crowd_due *due)
{
	if (due != NULL) {
		if (c->ndue == CROWD_DUE)
			fatalx(1, "too much is due");
		c->due[c->ndue++] = *due;
	}
	peer_send(&c->peer, m);
}

int
crowd_take(struct crowd *w, struct crowd_client *c)
{
	const struct crowd_due *due;

	while (c->up && c->due_at < c->ndue) {
		due = &c->due[c->due_at];
		if (crowd_wait(w, c, due->type) == -1)
			return (-1);
		c->due_at++;
		if (due->type == IPC_OPENED) {
			if (crowd_opened(w, c) == -1)
				return (-1);
		} else if (c->peer.m.f[0].u != due->tag) {
			fatalx(1, "%s: answer %llu, not %llu", w->name,
			    (unsigned long long)c->peer.m.f[0].u,
			    (unsigned long long)due->tag);
		} else if (due->type == IPC_FETCHED) {
			crowd_fetched(c, due);
		} else {
			crowd_verdict(w, c, due);
		}
	}
	c->ndue = c->due_at = 0;
	return (c->up ? 0 : -1);
}

/* The next message is of that type, moves of the ring apart. */
static int
crowd_wait(struct crowd *w, struct crowd_client *c, unsigned int type)
{
	unsigned int came;

	while ((came = peer_next(&c->peer)) == IPC_RING && type != IPC_RING)
		if (crowd_moved(w, c) == -1)
			return (-1);
	if (came == type)
		return (0);
	if (came != 0 && !w->ill)
		fatalx(1, "%s: %s came for %s", w->name, ipc_name(came),
		    ipc_name(type));
	crowd_end(w, c);
	return (-1);
}

static int
crowd_moved(struct crowd *w, struct crowd_client *c)
{
	struct msg m = c->peer.m;

	if (!c->lags && crowd_window(w, c) == -1)
		c->lags = 1;
	ring_close(&c->peer.ring);
	if (ring_attach(&c->peer.ring, chan_take_fd(&c->peer.chan),
		(size_t)m.f[ring_ring].u) == -1)
		fatal(1, "ring");
	close(c->peer.bell);
	c->peer.bell = chan_take_fd(&c->peer.chan);
	if (!c->lags)
		c->peer.position = m.f[ring_position].u;
	return (0);
}

static int
crowd_opened(struct crowd *w, struct crowd_client *c)
{
	const struct msg *m = &c->peer.m;

	if (m->f[opened_code].u != CODE_OK) {
		if (!w->ill)
			fatalx(1, "%s: not opened: %s", w->name,
			    code_name((unsigned int)m->f[opened_code].u));
		crowd_end(w, c);
		return (-1);
	}
	ring_close(&c->peer.ring);
	if (c->peer.bell != -1)
		close(c->peer.bell);
	c->peer.bell = -1;
	c->peer.position = m->f[opened_position].u;
	c->seq = m->f[opened_seq].u;
	if (ring_attach(&c->peer.ring, chan_take_fd(&c->peer.chan),
		(size_t)m->f[opened_ring].u) == -1)
		fatal(1, "ring");
	c->peer.bell = chan_take_fd(&c->peer.chan);
	memset(&c->heard, 0, sizeof(c->heard));
	return (0);
}

/* Commit, publish, reply: what it tells of is there, for all to see. */
static void
crowd_verdict(struct crowd *w, struct crowd_client *c,
    const struct crowd_due *due)
{
	const struct msg *m = &c->peer.m;
	struct model_op *op = &w->ops[due->tag];
	struct secsync_head head;

	if (ring_tail(&c->peer.ring) < m->f[verdict_position].u)
		fatalx(1, "%s: a verdict came before its frame", w->name);
	if (m->f[verdict_code].u != CODE_STORAGE &&
	    m->f[verdict_seq].u < c->answer)
		fatalx(1, "%s: a verdict's number goes back", w->name);
	if (m->f[verdict_code].u != CODE_STORAGE)
		c->answer = m->f[verdict_seq].u;
	if (due->tag == 0)
		return;
	op->code = (enum code)m->f[verdict_code].u;
	op->fate = op->code == CODE_OK ? MODEL_TAKEN : MODEL_REFUSED;
	op->seq = m->f[verdict_seq].u;
	/* No decision that the model could come to as well. */
	op->found =
	    w->ill && (op->code == CODE_STORAGE || op->code == CODE_BUSY);
	if ((op->code == CODE_STALE || op->code == CODE_MISSES_UPDATES) &&
	    op->verb == MODEL_SNAPSHOT) {
		if (secsync_head_unpack(m->f[verdict_info].b, &head) == -1)
			fatalx(1, "%s: a refusal without a head", w->name);
		op->head = head.seq;
	}
}

static void
crowd_fetched(struct crowd_client *c, const struct crowd_due *due)
{
	const struct msg *m = &c->peer.m;
	struct crowd_fetched *f = &c->fetched[c->nfetched];

	if (m->f[fetched_code].u != CODE_OK || c->nfetched == CROWD_DUE)
		return;
	f->after = due->after;
	f->seq = m->f[fetched_seq].u;
	f->oldest = m->f[fetched_oldest].u;
	f->more = m->f[fetched_more].u != 0;
	buf_free(&f->entries);
	if (buf_add_bytes(&f->entries, m->f[fetched_entries].b) == -1)
		fatal(1, "fetched");
	c->nfetched++;
}

void
crowd_end(struct crowd *w, struct crowd_client *c)
{
	struct crowd_due *due;

	if (!c->up)
		return;
	if (c->peer.ring.fd != -1 && !c->lags)
		crowd_window(w, c);
	/* Answers that were on their way: they count. */
	while (c->due_at < c->ndue && c->peer.chan.fd != -1) {
		due = &c->due[c->due_at];
		if (peer_next(&c->peer) != due->type)
			break;
		c->due_at++;
		if (due->type == IPC_VERDICT)
			crowd_verdict(w, c, due);
	}
	crowd_drop(c);
}

void
crowd_drop(struct crowd_client *c)
{
	c->up = 0;
	c->ndue = c->due_at = 0;
	c->nfetched = 0;
	peer_close(&c->peer);
}

void
crowd_glance(struct crowd *w, struct crowd_client *c)
{
	if (!c->lags && crowd_window(w, c) == -1)
		c->lags = 1;
}

int
crowd_read(struct crowd *w, struct crowd_client *c)
{
	uint64_t from = c->seq;

	if (crowd_window(w, c) == 0)
		return (0);
	memset(&c->heard, 0, sizeof(c->heard));
	return (crowd_catch_up(w, c, from));
}

int
crowd_catch_up(struct crowd *w, struct crowd_client *c, uint64_t after)
{
	struct msg m = MSG(FETCH);
	const struct msg *f = &c->peer.m;
	uint64_t at = after;
	int more = 1;

	m.f[fetch_what].u = FETCH_LOG;
	m.f[fetch_limit].u = 1 + (uint64_t)random() % 60000;
	while (more) {
		m.f[fetch_after].u = at;
		peer_send(&c->peer, &m);
		if (crowd_wait(w, c, IPC_FETCHED) == -1)
			return (-1);
		if (f->f[fetched_code].u != CODE_OK && w->ill)
			continue;
		if (f->f[fetched_code].u != CODE_OK)
			fatalx(1, "%s: fetch refused", w->name);
		more = f->f[fetched_more].u != 0;
		at = crowd_check_log(w, f->f[fetched_entries].b, at,
		    more ? 0 : f->f[fetched_seq].u, f->f[fetched_oldest].u);
	}
	if (at < w->model.seq)
		fatalx(1, "%s: fetched up to %llu of %llu", w->name,
		    (unsigned long long)at, (unsigned long long)w->model.seq);
	c->seq = f->f[fetched_seq].u;
	c->peer.position = f->f[fetched_position].u;
	c->lags = 0;
	return (0);
}

/* -1: fell behind. */
static int
crowd_window(struct crowd *w, struct crowd_client *c)
{
	const struct ring_entry *e;
	int r;

	while ((r = ring_peek(&c->peer.ring, &c->peer.position, &e)) == 1) {
		if (e->seq != 0)
			crowd_entry(w, c, e, ring_frame(e));
		else
			crowd_signal(w, c, e, ring_frame(e));
		c->peer.position += e->size;
	}
	return (r);
}

static void
crowd_entry(struct crowd *w, struct crowd_client *c, const struct ring_entry *e,
    struct bytes frame)
{
	struct crowd_seen s = { .seq = e->seq,
		.origin = e->origin,
		.kind = e->kind,
		.stub = (e->flags & RING_STUB) != 0 };

	if (e->seq != c->seq + 1)
		fatalx(1, "%s: %llu is followed by %llu", w->name,
		    (unsigned long long)c->seq, (unsigned long long)e->seq);
	if ((e->flags & RING_SKIP_ORIGIN) == 0)
		fatalx(1, "%s: %llu is for its sender too", w->name,
		    (unsigned long long)e->seq);
	c->seq = e->seq;
	if (buf_add_bytes(&s.frame, frame) == -1)
		fatal(1, "frame");
	if (s.seq <= w->model.seq) {
		crowd_check(w, &s);
		buf_free(&s.frame);
	} else if (c->nseen < CROWD_SEEN) {
		c->seen[c->nseen++] = s;
	} else {
		fatalx(1, "too much is seen");
	}
}

/* "slot_session_number", in the wrapping of its dialect. */
static void
crowd_signal(struct crowd *w, struct crowd_client *c,
    const struct ring_entry *e, struct bytes frame)
{
	size_t skip = w->dialect == DIALECT_SDS ? 3 : 44;
	unsigned long long session;
	unsigned int slot, number;
	char text[64];

	if (e->origin == c->peer.session)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(frame.n - skip),
	    (const char *)frame.p + skip);
	if (frame.n <= skip ||
	    sscanf(text, "%u_%llu_%u", &slot, &session, &number) != 3 ||
	    slot >= CROWD_CLIENTS || session != e->origin)
		fatalx(1, "%s: a signal that nobody sent: %s", w->name, text);
	if (!w->ill && c->heard[slot].session == session &&
	    number != c->heard[slot].number + 1)
		fatalx(1, "%s: signal %u after %u", w->name, number,
		    c->heard[slot].number);
	c->heard[slot].session = session;
	c->heard[slot].number = number;
}

void
crowd_signal_text(const struct crowd *w, const struct crowd_client *c,
    uint32_t number, struct buf *out)
{
	const char *end = w->dialect == DIALECT_SDS ? "" : MODEL_AFTER;

	buf_printf(out, "%s%zu_%llu_%u%s",
	    w->dialect == DIALECT_SDS ? "" : MODEL_BEFORE,
	    (size_t)(c - w->client), (unsigned long long)c->peer.session,
	    number, end);
}

void
crowd_heard(struct crowd *w, struct crowd_client *c)
{
	const struct crowd_client *o;
	size_t i;

	for (i = 0; i < CROWD_CLIENTS; i++) {
		o = &w->client[i];
		if (o == c || !o->up)
			continue;
		if (!w->ill && c->heard[i].session == o->peer.session &&
		    c->heard[i].number != o->signals)
			fatalx(1, "%s: %u of %u signals", w->name,
			    c->heard[i].number, o->signals);
		c->heard[i].session = o->peer.session;
		c->heard[i].number = o->signals;
	}
}

void
crowd_settle(struct crowd *w, struct crowd_client *c)
{
	struct crowd_fetched *f;
	size_t i;

	for (i = 0; i < c->nseen; i++) {
		if (c->seen[i].seq > w->model.seq)
			fatalx(1, "%s: %llu was shown and is not there",
			    w->name, (unsigned long long)c->seen[i].seq);
		crowd_check(w, &c->seen[i]);
		buf_free(&c->seen[i].frame);
	}
	c->nseen = 0;
	for (i = 0; i < c->nfetched; i++) {
		f = &c->fetched[i];
		crowd_check_log(w, buf_bytes(&f->entries), f->after,
		    f->more ? 0 : f->seq, f->oldest);
	}
	c->nfetched = 0;
}

static void
crowd_check(const struct crowd *w, const struct crowd_seen *s)
{
	const struct model_op *op = w->model.log[s->seq];
	struct buf frame = BUF_INIT;

	model_frame(op, &frame);
	if (s->kind != model_kind_of(op) || s->origin != op->session ||
	    (!s->stub && !bytes_eq(buf_bytes(&frame), buf_bytes(&s->frame))))
		fatalx(1, "%s: %llu was shown as something else", w->name,
		    (unsigned long long)s->seq);
	buf_free(&frame);
}

/*
 * Entries of the log from after on against the model; how far they came.
 * upto 0: the answer goes on.
 */
static uint64_t
crowd_check_log(const struct crowd *w, struct bytes entries, uint64_t after,
    uint64_t upto, uint64_t oldest)
{
	struct entry e;
	uint64_t at = after, i, seq;
	int r = 0;

	for (;;) {
		if (entries.n > 0 && (r = entry_unpack(&entries, &e)) != 1)
			fatalx(1, "%s: malformed entries", w->name);
		seq = r == 1 ? e.seq : upto + 1;
		for (i = at + 1; i < seq; i++)
			if (!w->model.may_go[i])
				fatalx(1, "%s: %llu is missing", w->name,
				    (unsigned long long)i);
		if (r != 1)
			break;
		if (e.seq <= at || e.seq <= oldest || e.seq > w->model.seq)
			fatalx(1, "%s: %llu after %llu, the oldest is %llu",
			    w->name, (unsigned long long)e.seq,
			    (unsigned long long)at, (unsigned long long)oldest);
		crowd_check_entry(w, &e);
		at = e.seq;
		r = 0;
		if (entries.n == 0 && upto == 0)
			return (at);
	}
	for (i = 1; i <= oldest; i++)
		if (!w->model.may_go[i])
			fatalx(1, "%s: %llu counts as dropped", w->name,
			    (unsigned long long)i);
	return (upto == 0 ? at : upto);
}

static void
crowd_check_entry(const struct crowd *w, const struct entry *e)
{
	const struct model_op *op = w->model.log[e->seq];
	struct buf record = BUF_INIT;

	model_record(op, &record);
	if (e->kind != model_kind_of(op) || e->origin != op->session ||
	    e->flags != 0 || !bytes_eq(e->body, buf_bytes(&record)))
		fatalx(1, "%s: %llu is something else in the log", w->name,
		    (unsigned long long)e->seq);
	buf_free(&record);
}

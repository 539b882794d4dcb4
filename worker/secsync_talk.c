/*
 * Messages in, verdicts back.  How one connects and loads is in
 * dialect_secsync.c, when an update may be committed in secsync_recover.c.
 */
#include <stdio.h>

#include "worker/secsync_answer.h"
#include "worker/secsync_may.h"
#include "worker/secsync_talk.h"
#include "worker/secsync_verify.h"

static void talk_judge(struct conn *, struct secsync *,
    struct secsync_message *);
static void talk_bad(struct conn *, struct secsync *,
    const struct secsync_message *);
static void talk_snapshot(struct conn *, struct secsync *,
    const struct secsync_message *);
static void talk_update(struct conn *, struct secsync *,
    const struct secsync_message *);
static void talk_ephemeral(struct conn *, struct secsync *,
    const struct secsync_message *);
static void talk_submit(struct conn *, struct secsync *, unsigned int verb,
    struct bytes items, struct bytes ref, struct bytes body);
static void talk_drain(struct conn *, struct secsync *);
static void talk_refuse(struct conn *, struct secsync *);
static void talk_refuse_now(struct conn *, struct secsync *);
static void talk_needs_snapshot(struct conn *, struct secsync *);
static void talk_set(struct buf *, struct bytes);

static void verdict_snapshot(struct conn *, struct secsync *,
    const struct verdict_in *);
static void verdict_snapshot_failed(struct conn *, struct secsync *,
    const struct verdict_in *);
static void verdict_update(struct conn *, struct secsync *, enum code);
static void verdict_probe(struct conn *, struct secsync *, enum code);

void
secsync_ready(struct conn *c, struct secsync *s)
{
	int64_t due_ms = s->recover.on ? s->recover.due_ms : 0;
	int64_t paid_ms = s->paid_us / 1000;
	int wait = paid_ms > conn_now_ms(c);

	s->phase = SECSYNC_READY;
	if (wait && (due_ms == 0 || paid_ms < due_ms))
		due_ms = paid_ms;
	conn_timer(c, due_ms);
	conn_hold(c, wait);
}

void
secsync_resume(struct conn *c, struct secsync *s)
{
	if (s->phase == SECSYNC_LOADING || s->phase == SECSYNC_READY)
		secsync_ready(c, s);
	else if (s->phase == SECSYNC_DELAYED)
		conn_timer(c, s->delay_ms);
}

void
secsync_last(struct conn *c, struct secsync *s, const char *type)
{
	char frame[64];
	int n;

	if (s->phase == SECSYNC_OVER)
		return;
	s->phase = SECSYNC_OVER;
	conn_timer(c, 0);
	conn_pause(c);
	if (s->load.begun)
		return;
	n = snprintf(frame, sizeof(frame), "{\"type\":\"%s\"}", type);
	conn_send(c, WS_TEXT, bytes_of(frame, (size_t)n));
}

void
secsync_end(struct conn *c, struct secsync *s, const char *type)
{
	secsync_last(c, s, type);
	conn_close(c, 0, NULL);
}

void
secsync_leave(struct conn *c, struct secsync *s)
{
	s->phase = SECSYNC_OVER;
	conn_timer(c, 0);
	conn_pause(c);
	conn_close(c, 0, NULL);
}

const char *
secsync_end_type(enum code code)
{
	switch (code) {
	case CODE_NO_SCOPE:
	case CODE_BAD_TOKEN:
	case CODE_EXPIRED:
	case CODE_WRONG_STORE:
	case CODE_REVOKED:
	case CODE_KICKED:
		return ("unauthorized");
	case CODE_NOT_FOUND:
		return ("document-not-found");
	default:
		return ("document-error");
	}
}

void
secsync_message(struct conn *c, unsigned int opcode, uint8_t *p, size_t n)
{
	struct secsync *s = conn_state(c);
	struct secsync_message m;
	int ok;

	(void)opcode;
	if (s == NULL || s->phase != SECSYNC_READY)
		return;
	s->paid_us = secsync_may_pay(s->paid_us, s->rate, conn_now_ms(c));
	ok = secsync_message_parse(&m, bytes_of(p, n),
		 conn_settings(c)->secsync_extra) == 0;
	if (!secsync_may_size(conn_settings(c), m.kind, n))
		secsync_end(c, s, "document-error");
	else if (ok && !secsync_may_send(buf_bytes(&s->grant), &m))
		secsync_end(c, s, "unauthorized");
	else if (!ok || !json_raw_eq(m.doc, buf_bytes(&s->doc)) ||
	    secsync_verify(&m) != 1)
		talk_bad(c, s, &m);
	else
		talk_judge(c, s, &m);
	secsync_message_free(&m);
	if (s->phase == SECSYNC_READY)
		secsync_ready(c, s);
}

void
secsync_verdict(struct conn *c, const struct verdict_in *v)
{
	struct secsync *s = conn_state(c);

	if (s == NULL || s->phase != SECSYNC_ASKED)
		return;
	if (v->code == CODE_OK && s->asked != SECSYNC_PROBE)
		secsync_recover_committed(&s->recover);
	switch (v->code) {
	case CODE_NO_SCOPE:
	case CODE_EXPIRED:
	case CODE_REVOKED:
	case CODE_TOO_LARGE:
	case CODE_QUOTA:
	case CODE_STORAGE:
		secsync_end(c, s, secsync_end_type(v->code));
		return;
	default:
		break;
	}
	if (s->asked == SECSYNC_SNAPSHOT)
		verdict_snapshot(c, s, v);
	else if (s->asked == SECSYNC_UPDATE)
		verdict_update(c, s, v->code);
	else
		verdict_probe(c, s, v->code);
}

/* An older refusal's pong says nothing about the newest one. */
void
secsync_pong(struct conn *c, struct bytes payload)
{
	struct secsync *s = conn_state(c);

	if (s == NULL || s->phase != SECSYNC_READY || payload.n != 4 ||
	    be32_get(payload.p) != s->pings)
		return;
	secsync_recover_pong(&s->recover, conn_now_ms(c));
	secsync_ready(c, s);
}

void
secsync_timer(struct conn *c)
{
	struct secsync *s = conn_state(c);

	if (s == NULL)
		return;
	if (s->phase == SECSYNC_DELAYED) {
		talk_refuse_now(c, s);
	} else if (s->phase == SECSYNC_READY && s->recover.on &&
	    s->recover.due_ms != 0 && s->recover.due_ms <= conn_now_ms(c)) {
		secsync_recover_expire(&s->recover);
		s->draining = 1;
		talk_drain(c, s);
	} else if (s->phase == SECSYNC_READY) {
		secsync_ready(c, s);
	}
}

static void
talk_judge(struct conn *c, struct secsync *s, struct secsync_message *m)
{
	if (m->kind == SECSYNC_KIND_SNAPSHOT)
		talk_snapshot(c, s, m);
	else if (m->kind == SECSYNC_KIND_UPDATE)
		talk_update(c, s, m);
	else
		talk_ephemeral(c, s, m);
}

/* Answered at once and without recovery: no honest client sends this. */
static void
talk_bad(struct conn *c, struct secsync *s, const struct secsync_message *m)
{
	if (++s->bad > SECSYNC_BAD_MAX)
		secsync_end(c, s, "document-error");
	else if (m->kind == SECSYNC_KIND_SNAPSHOT)
		conn_send(c, WS_TEXT,
		    BYTES_LIT("{\"type\":\"snapshot-save-failed\"}"));
	else if (m->kind == SECSYNC_KIND_UPDATE)
		secsync_answer_echo(c, m);
}

static void
talk_snapshot(struct conn *c, struct secsync *s,
    const struct secsync_message *m)
{
	struct secsync_items it = { .id = m->id,
		.proof = m->proof,
		.clocks = buf_bytes(&m->clocks) };
	struct buf items = BUF_INIT, body = BUF_INIT;
	char hash[SECSYNC_HASH_LEN];
	struct secsync_update first;

	if (secsync_recover_snapshot(&s->recover)) {
		secsync_recover_first(&s->recover, &first);
		secsync_answer_update_failed(c, first.id, first.clock, 0);
	}
	s->needs_told = 0;
	secsync_hash(hash, m->ciphertext);
	it.hash = bytes_of(hash, sizeof(hash));
	talk_set(&s->id, m->id);
	talk_set(&s->key, m->key);
	talk_set(&s->asked_known.id, m->known);
	s->asked_known.delta = 1;
	s->clock = 0;
	if (secsync_items_pack(&items, &it) == -1 ||
	    secsync_message_body(&body, m) == -1)
		secsync_end(c, s, "document-error");
	else
		talk_submit(c, s, SECSYNC_SNAPSHOT, buf_bytes(&items),
		    m->parent, buf_bytes(&body));
	buf_free(&items);
	buf_free(&body);
}

/* In recovery nothing may be committed yet, so it is only asked. */
static void
talk_update(struct conn *c, struct secsync *s, const struct secsync_message *m)
{
	talk_set(&s->id, m->id);
	talk_set(&s->key, m->key);
	s->clock = m->clock;
	buf_clear(&s->body);
	if (secsync_message_body(&s->body, m) == -1) {
		secsync_end(c, s, "document-error");
		return;
	}
	if (s->recover.on) {
		talk_submit(c, s, SECSYNC_PROBE, BYTES_NONE, m->id, BYTES_NONE);
		return;
	}
	talk_submit(c, s, SECSYNC_UPDATE, BYTES_NONE, m->id,
	    buf_bytes(&s->body));
	buf_free(&s->body);
}

static void
talk_ephemeral(struct conn *c, struct secsync *s,
    const struct secsync_message *m)
{
	struct buf body = BUF_INIT;

	if (secsync_message_body(&body, m) == -1)
		secsync_end(c, s, "document-error");
	else
		conn_signal(c, SECSYNC_EPHEMERAL, BYTES_NONE, m->key,
		    buf_bytes(&body));
	buf_free(&body);
}

static void
talk_submit(struct conn *c, struct secsync *s, unsigned int verb,
    struct bytes items, struct bytes ref, struct bytes body)
{
	struct submit_out out = { .verb = verb,
		.ref = ref,
		.author = buf_bytes(&s->key),
		.clock = s->clock,
		.items = items,
		.body = body };

	s->phase = SECSYNC_ASKED;
	s->asked = verb;
	conn_timer(c, 0);
	conn_hold(c, 1);
	conn_submit(c, &out);
}

/* The next of the updates that were held, or back to the client. */
static void
talk_drain(struct conn *c, struct secsync *s)
{
	struct secsync_update u;

	if (!secsync_recover_take(&s->recover, &u)) {
		s->draining = 0;
		secsync_ready(c, s);
		return;
	}
	talk_set(&s->id, u.id);
	talk_set(&s->key, u.key);
	s->clock = u.clock;
	talk_submit(c, s, SECSYNC_UPDATE, BYTES_NONE, buf_bytes(&s->id),
	    u.body);
}

/* Refuses the update in id and clock, later if there were too many. */
static void
talk_refuse(struct conn *c, struct secsync *s)
{
	int delay_ms = secsync_recover_delay_ms(&s->recover);

	if (delay_ms == -1) {
		secsync_end(c, s, "document-error");
	} else if (delay_ms == 0) {
		talk_refuse_now(c, s);
	} else {
		s->phase = SECSYNC_DELAYED;
		conn_hold(c, 1);
		s->delay_ms = conn_now_ms(c) + delay_ms;
		conn_timer(c, s->delay_ms);
	}
}

static void
talk_refuse_now(struct conn *c, struct secsync *s)
{
	uint8_t number[4];

	be32_put(number, ++s->pings);
	conn_ping(c, bytes_of(number, sizeof(number)));
	secsync_answer_update_failed(c, buf_bytes(&s->id), s->clock, 0);
	secsync_recover_refused(&s->recover);
	secsync_ready(c, s);
}

/* Once per burst: the snapshot that answers it contains everything. */
static void
talk_needs_snapshot(struct conn *c, struct secsync *s)
{
	secsync_recover_forget(&s->recover);
	s->draining = 0;
	if (!s->needs_told)
		secsync_answer_update_failed(c, buf_bytes(&s->id), s->clock, 1);
	s->needs_told = 1;
	secsync_ready(c, s);
}

static void
talk_set(struct buf *b, struct bytes value)
{
	buf_clear(b);
	buf_add_bytes(b, value);
}

static void
verdict_snapshot(struct conn *c, struct secsync *s, const struct verdict_in *v)
{
	if (v->code != CODE_OK) {
		verdict_snapshot_failed(c, s, v);
		return;
	}
	secsync_answer_snapshot_saved(c, buf_bytes(&s->id));
	secsync_ready(c, s);
}

static void
verdict_snapshot_failed(struct conn *c, struct secsync *s,
    const struct verdict_in *v)
{
	struct secsync_head head;

	if (++s->recover.refusals > SECSYNC_REFUSALS_MAX) {
		secsync_end(c, s, "document-error");
		return;
	}
	if ((v->code == CODE_STALE || v->code == CODE_MISSES_UPDATES) &&
	    secsync_head_unpack(v->info, &head) == 0) {
		s->phase = SECSYNC_LOADING;
		if (v->code == CODE_STALE)
			secsync_load_outdated(&s->load, &head, v->seq,
			    &s->asked_known);
		else
			secsync_load_misses(&s->load, head.seq, v->seq);
		return;
	}
	conn_send(c, WS_TEXT, BYTES_LIT("{\"type\":\"snapshot-save-failed\"}"));
	secsync_ready(c, s);
}

static void
verdict_update(struct conn *c, struct secsync *s, enum code code)
{
	if (code == CODE_NEEDS_SNAPSHOT) {
		talk_needs_snapshot(c, s);
		return;
	}
	if (code != CODE_OK) {
		s->draining = 0;
		secsync_recover_forget(&s->recover);
		talk_refuse(c, s);
		return;
	}
	s->needs_told = 0;
	secsync_answer_update_saved(c, buf_bytes(&s->id), s->clock);
	if (s->draining)
		talk_drain(c, s);
	else
		secsync_ready(c, s);
}

static void
verdict_probe(struct conn *c, struct secsync *s, enum code code)
{
	struct secsync_update u = { buf_bytes(&s->id), buf_bytes(&s->key),
		s->clock, buf_bytes(&s->body) };
	struct secsync_update first;
	enum secsync_act act;

	if (code == CODE_NEEDS_SNAPSHOT) {
		talk_needs_snapshot(c, s);
		return;
	}
	act = secsync_recover_update(&s->recover, &u, code == CODE_OK,
	    conn_now_ms(c));
	buf_free(&s->body);
	if (act == SECSYNC_ACT_NOTHING) {
		secsync_ready(c, s);
		return;
	}
	if (act == SECSYNC_ACT_REFUSE_HELD) {
		secsync_recover_first(&s->recover, &first);
		talk_set(&s->id, first.id);
		s->clock = first.clock;
	}
	talk_refuse(c, s);
}

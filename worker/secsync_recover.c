/*
 * The state machine after a refused update.  Who is asked whether an update is
 * acceptable, and what frames a refusal is made of, the dialect knows.
 */
#include "common/wire.h"
#include "worker/secsync_recover.h"

static enum secsync_act recover_acceptable(struct secsync_recover *,
    const struct secsync_update *, int64_t);
static enum secsync_act recover_other(struct secsync_recover *,
    const struct secsync_update *, int64_t);
static enum secsync_act recover_hold(struct secsync_recover *,
    const struct secsync_update *, int64_t);
static int recover_same(const struct secsync_recover *,
    const struct secsync_update *);
static void recover_first_set(struct secsync_recover *,
    const struct secsync_update *);

enum secsync_act
secsync_recover_update(struct secsync_recover *r,
    const struct secsync_update *u, int acceptable, int64_t now_ms)
{
	if (!r->on)
		return (acceptable ? SECSYNC_ACT_COMMIT : SECSYNC_ACT_REFUSE);
	if (!r->pong) /* what it holds will be in the merged one */
		return (SECSYNC_ACT_NOTHING);
	if (acceptable)
		return (recover_acceptable(r, u, now_ms));
	return (recover_other(r, u, now_ms));
}

int
secsync_recover_delay_ms(const struct secsync_recover *r)
{
	int delay = SECSYNC_DELAY_MS;
	unsigned n;

	if (r->refusals >= SECSYNC_REFUSALS_MAX)
		return (-1);
	if (r->refusals < SECSYNC_REFUSALS_FREE)
		return (0);
	for (n = SECSYNC_REFUSALS_FREE; n < r->refusals; n++)
		if ((delay *= 2) >= SECSYNC_DELAY_MAX_MS)
			return (SECSYNC_DELAY_MAX_MS);
	return (delay);
}

void
secsync_recover_refused(struct secsync_recover *r)
{
	secsync_recover_forget(r);
	r->on = 1;
	r->pong = 0;
	r->due_ms = 0;
	r->refusals++;
}

void
secsync_recover_committed(struct secsync_recover *r)
{
	r->refusals = 0;
}

void
secsync_recover_pong(struct secsync_recover *r, int64_t now_ms)
{
	if (!r->on)
		return;
	r->pong = 1;
	r->due_ms = now_ms + SECSYNC_QUIET_MS;
}

int
secsync_recover_snapshot(struct secsync_recover *r)
{
	int held = r->held_count > 0;

	secsync_recover_expire(r);
	secsync_recover_forget(r);
	return (held);
}

void
secsync_recover_expire(struct secsync_recover *r)
{
	r->on = 0;
	r->pong = 0;
	r->due_ms = 0;
}

int
secsync_recover_take(struct secsync_recover *r, struct secsync_update *u)
{
	struct bytes rest = bytes_skip(buf_bytes(&r->held), r->taken);
	struct bytes clock;

	if (list_next(&rest, &u->id) != 1 || list_next(&rest, &u->key) != 1 ||
	    list_next(&rest, &clock) != 1 || list_next(&rest, &u->body) != 1) {
		secsync_recover_forget(r);
		return (0);
	}
	u->clock = be64_get(clock.p);
	r->taken = r->held.len - rest.n;
	return (1);
}

void
secsync_recover_forget(struct secsync_recover *r)
{
	buf_free(&r->held);
	r->held_count = 0;
	r->taken = 0;
}

void
secsync_recover_first(const struct secsync_recover *r, struct secsync_update *u)
{
	u->id = bytes_of(r->first.id, r->first.id_len);
	u->key = bytes_of(r->first.key, sizeof(r->first.key));
	u->clock = r->first.clock;
	u->body = BYTES_NONE;
}

void
secsync_recover_free(struct secsync_recover *r)
{
	secsync_recover_forget(r);
}

/*
 * The merged resend carries the number of what it stands for, so it replaces
 * what is held.  With another number somebody else took that of the held ones,
 * whose content is in no later update: the client must merge once more.
 */
static enum secsync_act
recover_acceptable(struct secsync_recover *r, const struct secsync_update *u,
    int64_t now_ms)
{
	if (r->held_count > 0 &&
	    (!recover_same(r, u) || u->clock != r->first.clock)) {
		secsync_recover_forget(r);
		return (SECSYNC_ACT_REFUSE_HELD);
	}
	secsync_recover_forget(r);
	recover_first_set(r, u);
	return (recover_hold(r, u, now_ms));
}

static enum secsync_act
recover_other(struct secsync_recover *r, const struct secsync_update *u,
    int64_t now_ms)
{
	if (r->held_count > 0 && recover_same(r, u) &&
	    u->clock == r->first.clock + r->held_count) {
		if (r->held.len + u->body.n <= SECSYNC_HELD_MAX)
			return (recover_hold(r, u, now_ms));
		secsync_recover_forget(r);
		return (SECSYNC_ACT_REFUSE_HELD);
	}
	return (SECSYNC_ACT_REFUSE);
}

/* Without memory the client merges once more: nothing is lost. */
static enum secsync_act
recover_hold(struct secsync_recover *r, const struct secsync_update *u,
    int64_t now_ms)
{
	uint8_t clock[8];

	be64_put(clock, u->clock);
	if (list_add(&r->held, u->id) == -1 ||
	    list_add(&r->held, u->key) == -1 ||
	    list_add(&r->held, bytes_of(clock, sizeof(clock))) == -1 ||
	    list_add(&r->held, u->body) == -1) {
		secsync_recover_forget(r);
		return (SECSYNC_ACT_REFUSE_HELD);
	}
	r->held_count++;
	r->due_ms = now_ms + SECSYNC_QUIET_MS;
	return (SECSYNC_ACT_NOTHING);
}

static int
recover_same(const struct secsync_recover *r, const struct secsync_update *u)
{
	struct secsync_update first;

	secsync_recover_first(r, &first);
	return (bytes_eq(first.id, u->id) && bytes_eq(first.key, u->key));
}

static void
recover_first_set(struct secsync_recover *r, const struct secsync_update *u)
{
	r->first.id_len = u->id.n < SECSYNC_ID_MAX ? u->id.n : SECSYNC_ID_MAX;
	memcpy(r->first.id, u->id.p, r->first.id_len);
	if (u->key.n == SECSYNC_KEY_LEN)
		memcpy(r->first.key, u->key.p, SECSYNC_KEY_LEN);
	r->first.clock = u->clock;
}

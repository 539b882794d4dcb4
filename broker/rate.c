/*
 * Counters of the current second: a document's is its own, those of subjects
 * are in a table of a fixed size, found by a hash that nobody outside can
 * foresee.  In a table that is full of others a subject goes uncounted.
 */
#include <stdlib.h>
#include <time.h>

#include <sodium.h>

#include "broker/rate.h"

#define RATES_SLOTS 16384u
#define RATES_PROBE 8u

struct rates {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct rate_slot {
		uint64_t hash;
		struct rate rate;
	} slot[RATES_SLOTS];
};

static int rate_over(struct rate *, int64_t now, int64_t max);
static struct rate *rates_find(struct rates *, struct bytes, int64_t now);

struct rates *
rates_new(void)
{
	struct rates *r = calloc(1, sizeof(*r));

	if (r != NULL)
		crypto_shorthash_keygen(r->key);
	return (r);
}

void
rates_free(struct rates *r)
{
	free(r);
}

enum code
rate_refuses(struct broker *b, const struct session *s, struct doc *d)
{
	int64_t store_max = d->bounds.rate;
	int64_t subject_max = session_bounds(s)->rate;
	struct timespec now;
	struct rate *mine;

	if (scope_covers(s->scope, SCOPE_ADMIN) ||
	    (store_max == 0 && subject_max == 0))
		return (CODE_OK);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (store_max != 0 && rate_over(&d->rate, now.tv_sec, store_max))
		return (CODE_BUSY);
	if (subject_max == 0)
		return (CODE_OK);
	mine = rates_find(b->rates, s->claims.sub, now.tv_sec);
	return (mine != NULL && rate_over(mine, now.tv_sec, subject_max)
		? CODE_BUSY
		: CODE_OK);
}

static int
rate_over(struct rate *r, int64_t now, int64_t max)
{
	if (r->second != now)
		*r = (struct rate){ now, 0 };
	return (++r->n > max);
}

static struct rate *
rates_find(struct rates *r, struct bytes subject, int64_t now)
{
	struct rate_slot *slot, *old = NULL;
	uint8_t octets[crypto_shorthash_BYTES];
	uint64_t hash;
	uint32_t i;

	crypto_shorthash(octets, subject.p, subject.n, r->key);
	hash = be64_get(octets);
	for (i = 0; i < RATES_PROBE; i++) {
		slot = &r->slot[(hash + i) % RATES_SLOTS];
		if (slot->hash == hash)
			return (&slot->rate);
		if (old == NULL && slot->rate.second != now)
			old = slot;
	}
	if (old == NULL)
		return (NULL);
	*old = (struct rate_slot){ hash, { 0, 0 } };
	return (&old->rate);
}

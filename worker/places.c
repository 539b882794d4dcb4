/* A table of workers, counted anew for each newcomer: forks cost more. */
#include <sodium.h>
#include <signal.h>
#include <string.h>

#include "worker/memory.h"
#include "worker/places.h"

struct place {
	pid_t pid; /* 0 free */
	struct source source;
	int many;
	int64_t since_ms;
};

struct places {
	unsigned int max;
	unsigned int per_address;
	unsigned int used;
	struct penalties penalties;
	struct place place[]; /* max of them */
};

static size_t places_size(unsigned int max);

struct places *
places_new(unsigned int max, unsigned int per_address)
{
	struct places *p = memory_alone(places_size(max));

	if (p == NULL)
		return (NULL);
	p->max = max;
	p->per_address = per_address;
	randombytes_buf(p->penalties.key, sizeof(p->penalties.key));
	return (p);
}

void
places_free(struct places *p)
{
	if (p != NULL)
		memory_alone_free(p, places_size(p->max));
}

static size_t
places_size(unsigned int max)
{
	return (sizeof(struct places) + max * sizeof(struct place));
}

const char *
places_full(struct places *p, const struct source *source, int many,
    int64_t now_ms)
{
	unsigned int i, seen, same = 0, fresh = 0;

	if (p->used == p->max)
		return ("all places are taken");
	if (!many && penalty_counts(&p->penalties, source, now_ms))
		return ("penalty");
	for (i = seen = 0; i < p->max && seen < p->used; i++) {
		if (p->place[i].pid == 0)
			continue;
		seen++;
		same +=
		    memcmp(&p->place[i].source, source, sizeof(*source)) == 0;
		fresh += now_ms - p->place[i].since_ms < PLACES_FRESH_MS;
	}
	if (!many && same >= p->per_address)
		return ("too many of one address");
	if (source_crowded(fresh, p->max) &&
	    source_unlucky(fresh, p->max, randombytes_random()))
		return ("too many newcomers");
	return (NULL);
}

void
places_take(struct places *p, pid_t pid, const struct source *source, int many,
    int64_t now_ms)
{
	struct place *at = p->place;

	while (at->pid != 0)
		at++;
	*at = (struct place){ pid, *source, many, now_ms };
	p->used++;
}

int
places_leave(struct places *p, pid_t pid, enum source_end end, int64_t now_ms)
{
	struct place *at;
	int before;
	unsigned int i;

	for (i = 0; i < p->max && p->place[i].pid != pid; i++)
		continue;
	if (i == p->max)
		return (0);
	at = &p->place[i];
	at->pid = 0;
	p->used--;
	if (at->many || source_is_loopback(&at->source))
		return (0);
	before = penalty_counts(&p->penalties, &at->source, now_ms);
	penalty_add(&p->penalties, &at->source, end, now_ms);
	return (!before && penalty_counts(&p->penalties, &at->source, now_ms));
}

unsigned int
places_used(const struct places *p)
{
	return (p->used);
}

void
places_kill(const struct places *p, int sig)
{
	unsigned int i;

	for (i = 0; i < p->max; i++)
		if (p->place[i].pid != 0)
			kill(p->place[i].pid, sig);
}

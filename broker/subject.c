/* A hash of subjects by name. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "broker/broker.h"

static struct subject **subject_place(struct subjects *, struct bytes);
static struct subject *subject_get(struct subjects *, const struct config *,
    struct bytes);
static void subject_drop(struct subjects *, struct subject *);

int
subject_set(struct subjects *all, struct session *s, struct bytes name)
{
	struct subject *is = NULL, *was = s->subject;

	if (name.n > 0 &&
	    (is = subject_get(all, s->broker->conf, name)) == NULL)
		return (-1);
	s->subject = is;
	if (s->doc != NULL && is != NULL)
		is->open++;
	if (s->doc != NULL && was != NULL)
		was->open--;
	subject_drop(all, was);
	return (0);
}

/* Where it hangs, or the end of its chain. */
static struct subject **
subject_place(struct subjects *all, struct bytes name)
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct subject **at;

	if (!all->keyed)
		crypto_shorthash_keygen(all->key);
	all->keyed = 1;
	crypto_shorthash(hash, name.p, name.n, all->key);
	at = &all->bucket[be64_get(hash) % SUBJECT_BUCKETS];
	while (*at != NULL && !bytes_eq(bytes_of((*at)->name, (*at)->n), name))
		at = &(*at)->next;
	return (at);
}

/* With a reference more; NULL: no memory. */
static struct subject *
subject_get(struct subjects *all, const struct config *c, struct bytes name)
{
	struct subject **at = subject_place(all, name), *s = *at;

	if (s == NULL && (s = calloc(1, sizeof(*s) + name.n)) != NULL) {
		s->n = name.n;
		memcpy(s->name, name.p, name.n);
		bounds_of_subject(c, name, &s->bounds);
		*at = s;
	}
	if (s != NULL)
		s->refs++;
	return (s);
}

static void
subject_drop(struct subjects *all, struct subject *s)
{
	struct subject **at;

	if (s == NULL || --s->refs > 0)
		return;
	at = subject_place(all, bytes_of(s->name, s->n));
	*at = s->next;
	free(s);
}

/*
 * Open addressing with linear steps; at most half full; nothing is removed.
 */
#include <stdlib.h>

#include <sodium.h>

#include "broker/logseq_map.h"

#define MAP_ROWS_MIN 64

static size_t map_slot(const struct map *, struct bytes);
static int map_grow(struct map *);

uint64_t *
map_find(const struct map *m, struct bytes key)
{
	struct map_row *r;

	if (m->n == 0)
		return (NULL);
	r = &m->rows[map_slot(m, key)];
	return (r->used ? &r->value : NULL);
}

uint64_t *
map_at(struct map *m, struct bytes key, int *fresh)
{
	struct map_row *r;

	*fresh = 0;
	if (m->n * 2 >= m->cap && map_grow(m) == -1)
		return (NULL);
	r = &m->rows[map_slot(m, key)];
	if (r->used)
		return (&r->value);
	*r = (struct map_row){ .at = m->keys.len, .n = key.n, .used = 1 };
	if (buf_add_bytes(&m->keys, key) == -1) {
		r->used = 0;
		return (NULL);
	}
	m->n++;
	*fresh = 1;
	return (&r->value);
}

uint64_t *
map_find_u64(const struct map *m, uint64_t key)
{
	uint8_t octets[8];

	be64_put(octets, key);
	return (map_find(m, bytes_of(octets, sizeof(octets))));
}

uint64_t *
map_at_u64(struct map *m, uint64_t key, int *fresh)
{
	uint8_t octets[8];

	be64_put(octets, key);
	return (map_at(m, bytes_of(octets, sizeof(octets)), fresh));
}

const struct map_row *
map_row(const struct map *m, size_t i)
{
	return (m->rows[i].used ? &m->rows[i] : NULL);
}

struct bytes
map_key(const struct map *m, const struct map_row *r)
{
	return (bytes_of(buf_bytes(&m->keys).p + r->at, r->n));
}

void
map_clear(struct map *m)
{
	if (m->n > 0)
		memset(m->rows, 0, m->cap * sizeof(*m->rows));
	m->n = 0;
	buf_clear(&m->keys);
}

void
map_free(struct map *m)
{
	free(m->rows);
	buf_free(&m->keys);
	memset(m, 0, sizeof(*m));
}

static size_t
map_slot(const struct map *m, struct bytes key)
{
	static uint8_t secret[crypto_shorthash_KEYBYTES];
	static int keyed;
	uint8_t h[crypto_shorthash_BYTES];
	size_t i;

	if (!keyed) {
		randombytes_buf(secret, sizeof(secret));
		keyed = 1;
	}
	crypto_shorthash(h, key.p == NULL ? h : key.p, key.n, secret);
	for (i = (size_t)be64_get(h) & (m->cap - 1); m->rows[i].used;
	     i = (i + 1) & (m->cap - 1))
		if (bytes_eq(map_key(m, &m->rows[i]), key))
			break;
	return (i);
}

static int
map_grow(struct map *m)
{
	struct map old = *m;
	size_t i;

	m->cap = old.cap == 0 ? MAP_ROWS_MIN : old.cap * 2;
	if ((m->rows = calloc(m->cap, sizeof(*m->rows))) == NULL) {
		*m = old;
		return (-1);
	}
	for (i = 0; i < old.cap; i++)
		if (old.rows[i].used)
			m->rows[map_slot(m, map_key(&old, &old.rows[i]))] =
			    old.rows[i];
	free(old.rows);
	return (0);
}

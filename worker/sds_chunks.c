/*
 * Chunks are kept one by one, since they may come in any order and any size,
 * and are joined when the last is there, each given back as it is copied.
 */
#include <stdlib.h>

#include "worker/sds_chunks.h"

static struct sds_value *sds_chunks_find(struct sds_chunks *, struct bytes);
static struct sds_value *sds_chunks_new(struct sds_chunks *,
    const struct sds_chunk *);
static int sds_chunks_put(struct sds_chunks *, struct sds_value *,
    const struct sds_chunk *);
static int sds_chunks_room(struct sds_chunks *, const struct sds_value *,
    uint64_t);
static struct sds_value *sds_chunks_oldest(struct sds_chunks *,
    const struct sds_value *);
static void sds_chunks_forget(struct sds_chunks *, struct sds_value *);

int
sds_chunk_parse(struct bytes frame, struct sds_chunk *c)
{
	if (frame.n < SDS_CHUNK_HEAD_BYTES)
		return (0);
	c->key = bytes_of(frame.p + 1, SDS_KEY_BYTES);
	c->index = be32_get(frame.p + 1 + SDS_KEY_BYTES);
	c->total = be32_get(frame.p + 5 + SDS_KEY_BYTES);
	c->data = bytes_skip(frame, SDS_CHUNK_HEAD_BYTES);
	return (c->total == 0 || c->index >= c->total ? -1 : 1);
}

void
sds_chunks_init(struct sds_chunks *s, uint64_t octets_max)
{
	memset(s, 0, sizeof(*s));
	s->octets_max = octets_max;
}

void
sds_chunks_free(struct sds_chunks *s)
{
	size_t i;

	for (i = 0; i < SDS_CHUNKS_VALUES_MAX; i++)
		sds_chunks_forget(s, &s->value[i]);
}

struct sds_value *
sds_chunks_add(struct sds_chunks *s, const struct sds_chunk *c, int *fresh)
{
	struct sds_value *v = sds_chunks_find(s, c->key);

	*fresh = 0;
	if (v != NULL && v->total != c->total) {
		sds_chunks_forget(s, v);
		v = NULL;
	}
	if (v == NULL) {
		if (c->total > SDS_CHUNKS_MAX ||
		    (v = sds_chunks_new(s, c)) == NULL)
			return (NULL);
		*fresh = 1;
	}
	if (sds_chunks_put(s, v, c) == 0)
		return (v);
	sds_chunks_forget(s, v);
	return (NULL);
}

int
sds_chunks_take(struct sds_chunks *s, struct sds_value *v, struct buf *out)
{
	uint32_t i;
	int r = 0;

	/* All the room at once, or it would be moved over and over. */
	if (v->octets > SIZE_MAX || buf_room(out, (size_t)v->octets) == NULL)
		r = -1;
	for (i = 0; r == 0 && i < v->total; i++) {
		r = buf_add(out, v->piece[i].p, v->piece[i].n);
		free(v->piece[i].p);
		v->piece[i].p = NULL;
	}
	sds_chunks_forget(s, v);
	return (r);
}

static struct sds_value *
sds_chunks_find(struct sds_chunks *s, struct bytes key)
{
	struct sds_value *v;

	for (v = s->value; v < s->value + SDS_CHUNKS_VALUES_MAX; v++)
		if (v->piece != NULL &&
		    bytes_eq(bytes_of(v->key, sizeof(v->key)), key))
			return (v);
	return (NULL);
}

static struct sds_value *
sds_chunks_new(struct sds_chunks *s, const struct sds_chunk *c)
{
	struct sds_value *v;

	for (v = s->value; v < s->value + SDS_CHUNKS_VALUES_MAX; v++)
		if (v->piece == NULL)
			break;
	if (v == s->value + SDS_CHUNKS_VALUES_MAX) {
		v = sds_chunks_oldest(s, NULL);
		sds_chunks_forget(s, v);
	}
	if ((v->piece = calloc(c->total, sizeof(*v->piece))) == NULL)
		return (NULL);
	memcpy(v->key, c->key.p, sizeof(v->key));
	v->total = c->total;
	v->age = s->ages++;
	return (v);
}

static int
sds_chunks_put(struct sds_chunks *s, struct sds_value *v,
    const struct sds_chunk *c)
{
	struct sds_piece *piece = &v->piece[c->index];

	if (piece->p != NULL) {
		free(piece->p);
		piece->p = NULL;
		s->octets -= piece->n;
		v->octets -= piece->n;
		v->have--;
	}
	/* An empty one has memory too: that is how it is known to be there. */
	if (sds_chunks_room(s, v, c->data.n) == -1 ||
	    (piece->p = malloc(c->data.n + 1)) == NULL)
		return (-1);
	piece->n = c->data.n;
	if (piece->n > 0)
		memcpy(piece->p, c->data.p, piece->n);
	s->octets += piece->n;
	v->octets += piece->n;
	v->have++;
	return (0);
}

static int
sds_chunks_room(struct sds_chunks *s, const struct sds_value *v, uint64_t n)
{
	struct sds_value *old;

	while (n > s->octets_max || s->octets > s->octets_max - n) {
		if ((old = sds_chunks_oldest(s, v)) == NULL)
			return (-1);
		sds_chunks_forget(s, old);
	}
	return (0);
}

static struct sds_value *
sds_chunks_oldest(struct sds_chunks *s, const struct sds_value *but)
{
	struct sds_value *v, *old = NULL;

	/* cppcheck-suppress nullPointerArithmeticRedundantCheck */
	for (v = s->value; v < s->value + SDS_CHUNKS_VALUES_MAX; v++)
		/* cppcheck-suppress nullPointerRedundantCheck; v is never it */
		if (v->piece != NULL && v != but &&
		    (old == NULL || v->age < old->age))
			old = v;
	return (old);
}

static void
sds_chunks_forget(struct sds_chunks *s, struct sds_value *v)
{
	uint32_t i;

	if (v->piece == NULL)
		return;
	for (i = 0; i < v->total; i++)
		free(v->piece[i].p);
	free(v->piece);
	s->octets -= v->octets;
	memset(v, 0, sizeof(*v));
}

/*
 * Blobs of published signals: kept in memory while a reader may still meet
 * their stub in the ring, the oldest of all documents given up first where they
 * would grow over the bound.
 */
#include <stdlib.h>

#include "broker/broker.h"

static void doc_blob_free(struct broker *, struct signal_blob *);

struct signal_blob *
doc_blob_find(struct doc *d, uint64_t id)
{
	struct signal_blob *s;

	TAILQ_FOREACH(s, &d->blobs, entry)
		if (s->id == id)
			return (s);
	return (NULL);
}

int
doc_blob_add(struct broker *b, struct doc *d, uint64_t id, struct buf *body)
{
	struct signal_blob *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (-1);
	s->id = id;
	s->doc = d;
	s->body = *body;
	*body = (struct buf)BUF_INIT;
	s->position = UINT64_MAX; /* until its stub is in the ring */
	TAILQ_INSERT_TAIL(&d->blobs, s, entry);
	TAILQ_INSERT_TAIL(&b->blobs, s, age_entry);
	return (0);
}

/* What no reader's window reaches any more goes. */
void
doc_blobs_settle(struct broker *b, struct doc *d)
{
	struct signal_blob *s;

	TAILQ_FOREACH(s, &d->blobs, entry)
		if (s->position == UINT64_MAX)
			s->position = ring_end(&d->ring);
	while ((s = TAILQ_FIRST(&d->blobs)) != NULL &&
	    s->position <= ring_head(&d->ring))
		doc_blob_free(b, s);
}

void
doc_blobs_free(struct broker *b, struct doc *d)
{
	struct signal_blob *s;

	while ((s = TAILQ_FIRST(&d->blobs)) != NULL)
		doc_blob_free(b, s);
}

void
doc_blobs_make_room(struct broker *b, size_t n)
{
	struct signal_blob *s;

	while (b->signal_blob_bytes + n > SIGNAL_BLOBS_MAX_BYTES &&
	    (s = TAILQ_FIRST(&b->blobs)) != NULL)
		doc_blob_free(b, s);
}

static void
doc_blob_free(struct broker *b, struct signal_blob *s)
{
	TAILQ_REMOVE(&s->doc->blobs, s, entry);
	TAILQ_REMOVE(&b->blobs, s, age_entry);
	b->signal_blob_bytes -= s->body.len;
	buf_free(&s->body);
	free(s);
}

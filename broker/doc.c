/*
 * Documents that somebody has open: found by name in one step with being
 * joined, so that two first comers never get two of them.  Ring and bell are
 * made for the first session and given back with the last.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "broker/broker.h"
#include "broker/confine.h"
#include "broker/lanes.h"
#include "common/frame.h"
#include "common/limits.h"
#include "common/log.h"

/* Less than this in a silent document's ring is not worth a new one. */
#define DOC_IDLE_BYTES (64u * KIB)

static size_t doc_bucket(const struct doc_id *);
static void doc_free(struct broker *, struct doc *);
static int doc_window_make(struct broker *, struct doc *, uint64_t pos);
static void doc_renew(struct broker *, struct doc *);
static void doc_idle(evutil_socket_t, short, void *);

struct doc *
doc_get(struct broker *b, const struct doc_id *id)
{
	struct doc **at = &b->docs[doc_bucket(id)], *d;

	if ((d = doc_find(b, id)) != NULL) {
		d->refs++;
		return (d);
	}
	if ((d = calloc(1, sizeof(*d))) == NULL ||
	    (d->name = malloc(id->name.n + 1)) == NULL) {
		free(d);
		return (NULL);
	}
	if (id->name.n > 0)
		memcpy(d->name, id->name.p, id->name.n);
	d->id = *id;
	d->id.name = bytes_of(d->name, id->name.n);
	d->ring.fd = d->reader_fd = -1;
	d->bell = (struct bell)BELL_NONE;
	TAILQ_INIT(&d->sessions);
	TAILQ_INIT(&d->blobs);
	d->refs = 1;
	bounds_of_store(b->conf, &d->id, &d->bounds);
	d->next = *at;
	*at = d;
	b->ndocs++;
	return (d);
}

struct doc *
doc_find(struct broker *b, const struct doc_id *id)
{
	struct doc *d = b->docs[doc_bucket(id)];

	while (d != NULL &&
	    (d->id.dialect != id->dialect || d->id.room != id->room ||
		!bytes_eq(d->id.name, id->name)))
		d = d->next;
	return (d);
}

void
doc_unref(struct broker *b, struct doc *d)
{
	if (d != NULL && --d->refs == 0)
		doc_free(b, d);
}

int
doc_window(struct broker *b, struct doc *d)
{
	return (d->ring.fd != -1 ? 0 : doc_window_make(b, d, 0));
}

static int
doc_window_make(struct broker *b, struct doc *d, uint64_t pos)
{
	if (ring_create(&d->ring, (size_t)b->conf->ring_bytes) == -1)
		return (-1);
	ring_begin_at(&d->ring, pos);
	d->begin = pos;
	if ((d->reader_fd = ring_reader_fd(&d->ring)) == -1)
		goto err_ring;
	if (bell_create(&d->bell, CONFINE_DATA) == -1)
		goto err_reader;
	return (0);

err_reader:
	close(d->reader_fd);
	d->reader_fd = -1;
err_ring:
	ring_close(&d->ring);
	return (-1);
}

/*
 * Puts one effect into the ring: the broker writes the frame header itself, so
 * that no worker can break the framing of another's client.
 */
void
doc_publish(struct broker *b, struct doc *d, const struct effect *e)
{
	struct ring_entry entry = { 0 };
	struct bytes body = buf_bytes(&e->data), piece[2];
	uint8_t header[10];
	size_t n;

	if (d->ring.fd == -1) /* nobody is listening */
		return;
	entry.seq = e->p.seq;
	entry.origin = e->origin;
	entry.since = (e->p.flags & PUBLISH_SEEN) != 0 ? e->p.since : 0;
	entry.kind = (uint8_t)e->p.kind;
	entry.opcode = (uint8_t)e->p.opcode;
	if ((e->p.flags & PUBLISH_SKIP_SELF) != 0)
		entry.flags |= RING_SKIP_ORIGIN;
	n = ws_header(header, (enum ws_opcode)e->p.opcode, 1, body.n);
	if (e->p.blob != 0 && e->p.seq == 0) {
		entry.flags |= RING_BLOB;
		entry.blob = e->p.blob;
		entry.blob_size = e->p.blob_size;
	} else if (e->p.blob != 0 || (e->p.flags & PUBLISH_SEEN) != 0 ||
	    sizeof(entry) + n + body.n + 8 > d->ring.bytes / RING_STUB_SHARE) {
		entry.flags |= RING_STUB;
		entry.blob_size = e->p.blob_size;
	}
	piece[0] = bytes_of(header, n);
	piece[1] = body;
	if ((entry.flags & RING_STUB) != 0)
		ring_put(&d->ring, &entry, NULL, 0);
	else if ((entry.flags & RING_BLOB) != 0)
		ring_put(&d->ring, &entry, &body, 1);
	else
		ring_put(&d->ring, &entry, piece, 2);
	if ((e->p.flags & PUBLISH_TAKES) != 0)
		d->took = ring_end(&d->ring);
	d->put = 1;
	b->count.frames++;
	b->count.frame_bytes += body.n;
}

void
doc_kick(struct doc *d, const struct effect *e)
{
	struct bytes subject = buf_bytes(&e->data);
	struct session *s, *next;

	for (s = TAILQ_FIRST(&d->sessions); s != NULL; s = next) {
		next = TAILQ_NEXT(s, doc_entry);
		if (s->id != e->origin &&
		    (subject.n == 0 || bytes_eq(s->claims.sub, subject)))
			session_kick(s, e->kick);
	}
}

void
doc_show(struct broker *b, struct doc *d)
{
	if (!d->put)
		return;
	d->put = 0;
	d->put_s = (int64_t)time(NULL);
	ring_publish(&d->ring);
	d->unrung = lanes_publish(b, d);
}

void
doc_ring_bell(struct broker *b, struct doc *d)
{
	doc_show(b, d);
	if (d->unrung)
		bell_ring(&d->bell);
	d->unrung = 0;
}

void
doc_left(struct doc *d, int64_t until_s)
{
	if (until_s != 0 && (d->stale_s == 0 || until_s < d->stale_s))
		d->stale_s = until_s;
}

/* Once a second at most: it costs a message to every session. */
void
doc_freshen(struct broker *b, struct doc *d)
{
	int64_t now;

	if (d->stale_s == 0 || d->ring.fd == -1 || b->stopping)
		return;
	now = (int64_t)time(NULL);
	if (now >= d->stale_s && now > d->renewed_s)
		doc_renew(b, d);
}

/*
 * The ring goes on in another, at the same position.  A worker that has left
 * keeps what it has mapped and sees nothing newer; that memory is the kernel's
 * again when the last one has let go of it.
 */
static void
doc_renew(struct broker *b, struct doc *d)
{
	struct doc old = *d;
	struct session *s;

	doc_ring_bell(b, d);
	d->renewed_s = (int64_t)time(NULL);
	if (doc_window_make(b, d, ring_end(&old.ring)) == -1) {
		log_warn("new ring");
		d->ring = old.ring;
		d->bell = old.bell;
		d->reader_fd = old.reader_fd;
		d->begin = old.begin;
		return;
	}
	ring_set_members(&d->ring, ring_members(&old.ring));
	d->stale_s = 0;
	lanes_forget(b, d); /* who has a lane asks for another */
	lanes_flush(b);
	TAILQ_FOREACH(s, &d->sessions, doc_entry)
		if (s->has_ring)
			session_give_ring(s);
	close(old.reader_fd);
	bell_close(&old.bell);
	ring_close(&old.ring);
}

void
doc_idle_start(struct broker *b)
{
	const struct timeval every = { b->conf->ring_idle_ms / 1000,
		b->conf->ring_idle_ms % 1000 * 1000 };

	if (b->conf->ring_idle_ms == 0)
		return;
	event_assign(&b->idle_ev, b->base, -1, EV_PERSIST, doc_idle, b);
	event_add(&b->idle_ev, &every);
}

static void
doc_idle(evutil_socket_t fd, short what, void *arg)
{
	struct broker *b = arg;
	int64_t before = (int64_t)time(NULL) - b->conf->ring_idle_ms / 1000;
	struct doc *d;
	size_t i;

	(void)fd;
	(void)what;
	for (i = 0; i < DOC_BUCKETS; i++)
		for (d = b->docs[i]; d != NULL; d = d->next)
			if (d->ring.fd != -1 && !d->put && d->put_s <= before &&
			    ring_end(&d->ring) - d->begin >= DOC_IDLE_BYTES)
				doc_renew(b, d);
}

static void
doc_free(struct broker *b, struct doc *d)
{
	struct doc **at = &b->docs[doc_bucket(&d->id)];

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	doc_blobs_free(b, d);
	lanes_forget(b, d);
	if (d->reader_fd != -1)
		close(d->reader_fd);
	bell_close(&d->bell);
	ring_close(&d->ring);
	free(d->name);
	free(d);
	b->ndocs--;
}

/* A keyed hash: names are chosen by strangers. */
static size_t
doc_bucket(const struct doc_id *id)
{
	static uint8_t key[crypto_shorthash_KEYBYTES];
	static int keyed;
	uint8_t h[crypto_shorthash_BYTES];

	if (!keyed) {
		randombytes_buf(key, sizeof(key));
		keyed = 1;
	}
	crypto_shorthash(h, id->name.p == NULL ? h : id->name.p, id->name.n,
	    key);
	return ((size_t)((be64_get(h) ^ id->dialect ^ id->room) % DOC_BUCKETS));
}

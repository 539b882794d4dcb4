/*
 * Scans of the Berkeley DB store.  Forwards many pairs come at once into one
 * buffer; the first rounds are small, because most scans end early and the
 * library fills whatever room it is given.  Backwards pair by pair: that is
 * for the last few.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/limits.h"
#include "broker/kv_bdb.h"

/* The library wants a page at least, and multiples of a KiB. */
#define SCAN_FIRST_BYTES (8u * KIB)
#define SCAN_FULL_BYTES	 (128u * KIB)
#define SCAN_GROWTH	 4u
#define SCAN_PAIR_BYTES	 20u /* of the buffer, beside key and value */

/* One scan under way. */
struct scan {
	struct bdb *b;
	DBC *cursor;
	struct bytes from, to;
	kv_each *each;
	void *arg;
	uint8_t *mem; /* bulk buffer */
	uint32_t cap;
	uint32_t round;	 /* how much of it the next round uses */
	uint64_t wanted; /* as in struct kv */
	uint64_t values; /* octets of them so far */
	uint64_t taken;	 /* and how much of the buffer they took */
};

static int scan_forward(struct scan *);
static int scan_round(struct scan *, DBT *, u_int32_t);
static void scan_grow(struct scan *);
static int scan_pairs(struct scan *, DBT *);
static int scan_room(struct scan *, uint32_t);
static int scan_backward(struct scan *);
static int scan_place(struct scan *, DBT *, DBT *);
static int scan_key(struct scan *, DBT *, struct bytes);

int
bdb_scan(struct kv *kv, enum kv_table t, struct bytes from, struct bytes to,
    int reverse, kv_each *each, void *arg)
{
	struct bdb *b = (struct bdb *)kv;
	struct scan s = { .b = b,
		.from = from,
		.to = to,
		.each = each,
		.arg = arg,
		.wanted = kv->wanted };
	int error, r;

	kv->wanted = 0;
	if (bdb_alive(b) == -1)
		return (-1);
	if (bytes_cmp(from, to) >= 0)
		return (0);
	error = b->table[t]->cursor(b->table[t], b->txn, &s.cursor, 0);
	if (error != 0)
		return (bdb_fail_txn(b, "scan", error));
	r = reverse ? scan_backward(&s) : scan_forward(&s);
	if ((error = s.cursor->close(s.cursor)) != 0)
		r = bdb_fail_txn(b, "scan", error);
	return (r);
}

static int
scan_forward(struct scan *s)
{
	DBT key;
	u_int32_t how = DB_SET_RANGE;
	int r;

	/* Taken, not shared: each may scan as well. */
	s->mem = s->b->bulk;
	s->cap = s->b->bulk_bytes;
	s->b->bulk = NULL;
	s->b->bulk_bytes = 0;
	s->round = SCAN_FIRST_BYTES;
	if ((r = scan_key(s, &key, s->from)) == 0)
		do {
			r = scan_round(s, &key, how);
			how = DB_NEXT;
		} while (r == 2);
	free(key.data);
	if (s->cap <= SCAN_FULL_BYTES && s->b->bulk == NULL) {
		s->b->bulk = s->mem;
		s->b->bulk_bytes = s->cap;
	} else
		free(s->mem);
	return (r);
}

/* As kv_ops.scan, and 2: there may be more. */
static int
scan_round(struct scan *s, DBT *key, u_int32_t how)
{
	DBT bulk = bdb_dbt(BYTES_NONE);
	uint32_t room = s->round;
	int error, r;

	bulk.flags = DB_DBT_USERMEM;
	do {
		if (scan_room(s, room) == -1)
			return (-1);
		bulk.data = s->mem;
		bulk.ulen = room;
		error = s->cursor->get(s->cursor, key, &bulk,
		    how | DB_MULTIPLE_KEY);
		/* size is an estimate: doubling makes progress certain */
		room = bulk.size > room * 2 ? bulk.size : room * 2;
		room = (room + KIB - 1) / KIB * KIB;
	} while (error == DB_BUFFER_SMALL);
	if (error == DB_NOTFOUND)
		return (0);
	if (error != 0)
		return (bdb_fail_txn(s->b, "scan", error));
	r = scan_pairs(s, &bulk);
	scan_grow(s);
	return (r);
}

/* The next round is for no more than is wanted, if values go on as they were.
 */
static void
scan_grow(struct scan *s)
{
	uint64_t rest;

	s->round *= SCAN_GROWTH;
	if (s->round > SCAN_FULL_BYTES)
		s->round = SCAN_FULL_BYTES;
	if (s->wanted == 0 || s->values == 0)
		return;
	rest = s->wanted > s->values ? s->wanted - s->values : 0;
	rest = rest * s->taken / s->values / KIB * KIB + KIB;
	if (rest < SCAN_FIRST_BYTES)
		rest = SCAN_FIRST_BYTES;
	if (rest < s->round)
		s->round = (uint32_t)rest;
}

static int
scan_pairs(struct scan *s, DBT *bulk)
{
	void *at, *k, *v;
	size_t kn, vn;
	int r;

	DB_MULTIPLE_INIT(at, bulk);
	for (;;) {
		DB_MULTIPLE_KEY_NEXT(at, bulk, k, kn, v, vn);
		if (at == NULL)
			return (2);
		if (bytes_cmp(bytes_of(k, kn), s->to) >= 0)
			return (0);
		s->values += vn;
		s->taken += kn + vn + SCAN_PAIR_BYTES;
		r = s->each(bytes_of(k, kn), bytes_of(v, vn), s->arg);
		if (r != 0)
			return (r);
	}
}

static int
scan_room(struct scan *s, uint32_t n)
{
	uint8_t *mem;

	if (n <= s->cap)
		return (0);
	if (n < SCAN_FULL_BYTES)
		n = SCAN_FULL_BYTES;
	if ((mem = realloc(s->mem, n)) == NULL)
		return (bdb_fail_txn(s->b, "scan", ENOMEM));
	s->mem = mem;
	s->cap = n;
	return (0);
}

static int
scan_backward(struct scan *s)
{
	DBT k, v = bdb_dbt(BYTES_NONE);
	struct bytes key;
	int error, r = 0;

	v.flags = DB_DBT_REALLOC;
	if (scan_key(s, &k, s->to) == -1)
		return (-1);
	for (error = scan_place(s, &k, &v); error == 0 && r == 0;
	     error = s->cursor->get(s->cursor, &k, &v, DB_PREV)) {
		key = bytes_of(k.data, k.size);
		if (bytes_cmp(key, s->from) < 0)
			break;
		r = s->each(key, bytes_of(v.data, v.size), s->arg);
		if (r != 0)
			break;
	}
	if (error != 0 && error != DB_NOTFOUND)
		r = bdb_fail_txn(s->b, "scan", error);
	free(k.data);
	free(v.data);
	return (r);
}

/* On the greatest pair below the end, of all keys. */
static int
scan_place(struct scan *s, DBT *k, DBT *v)
{
	int error;

	error = s->cursor->get(s->cursor, k, v, DB_SET_RANGE);
	if (error == 0)
		return (s->cursor->get(s->cursor, k, v, DB_PREV));
	if (error == DB_NOTFOUND)
		return (s->cursor->get(s->cursor, k, v, DB_LAST));
	return (error);
}

/* A key that the library may answer in; data is the caller's to free. */
static int
scan_key(struct scan *s, DBT *t, struct bytes key)
{
	*t = bdb_dbt(BYTES_NONE);
	t->flags = DB_DBT_REALLOC;
	if ((t->data = malloc(key.n + 1)) == NULL)
		return (bdb_fail_txn(s->b, "scan", ENOMEM));
	if (key.n > 0)
		memcpy(t->data, key.p, key.n);
	t->size = (u_int32_t)key.n;
	return (0);
}

/* Takes back what kv_undo.c wrote down, or erases it. */
#include "broker/kv_undo.h"
#include "broker/kv_undo_page.h"

/* Pages erased in one transaction. */
#define ERASE_PAGES 4u

struct undo_row {
	enum kv_table table;
	int had;
	struct bytes key, val;
};

struct undo_found {
	struct buf key, val;
	uint32_t page[ERASE_PAGES];
	size_t n;
};

static int back_some(struct kv *);
static int back_page(struct kv *, struct bytes page);
static int back_row(struct bytes *rest, struct undo_row *);
static int undo_open(struct kv *);
static int undo_end(struct kv *, int r);
static kv_each back_last, erase_each;

int
kv_undo_back(struct kv *kv)
{
	int r;

	if ((r = undo_open(kv)) != 1)
		return (r);
	if (kv->ops->begin(kv) == -1)
		return (-1);
	return (undo_end(kv, back_some(kv)));
}

int
kv_undo_erase(struct kv *kv)
{
	uint8_t key[UNDO_KEY_BYTES], end[UNDO_KEY_BYTES];
	struct undo_found f = { .n = 0 };
	size_t i;
	int r;

	if (kv->ops->scan(kv, KV_REG, undo_key(key, 0),
		undo_key(end, UINT32_MAX), 0, erase_each, &f) == -1)
		return (-1);
	if (f.n == 0)
		return (0);
	if (kv->ops->begin(kv) == -1)
		return (-1);
	for (r = 1, i = 0; i < f.n && r == 1; i++)
		if (kv->ops->del(kv, KV_REG, undo_key(key, f.page[i])) == -1)
			r = -1;
	return (undo_end(kv, r));
}

int
kv_undo_recover(struct kv *kv)
{
	int r;

	while ((r = kv_undo_back(kv)) == 1)
		;
	while (r == 0 && (r = kv_undo_erase(kv)) == 1)
		r = 0;
	return (r);
}

static int
back_some(struct kv *kv)
{
	uint8_t key[UNDO_KEY_BYTES], end[UNDO_KEY_BYTES];
	struct undo_found f = { .n = 0 };
	int r;

	r = kv->ops->scan(kv, KV_REG, undo_key(key, 1),
	    undo_key(end, UINT32_MAX), 1, back_last, &f);
	if (r == 1 &&
	    (back_page(kv, buf_bytes(&f.val)) == -1 ||
		kv->ops->del(kv, KV_REG, buf_bytes(&f.key)) == -1))
		r = -1;
	if (r == 0 && kv->ops->del(kv, KV_REG, undo_key(key, 0)) == -1)
		r = -1;
	buf_free(&f.key);
	buf_free(&f.val);
	return (r);
}

/* The last change first: a key that was changed twice is as before both. */
static int
back_page(struct kv *kv, struct bytes page)
{
	struct buf starts = BUF_INIT;
	struct bytes rest = page;
	struct undo_row row;
	size_t at;
	int r = 0;

	while (rest.n > 0 && r == 0) {
		buf_add_be32(&starts, (uint32_t)(page.n - rest.n));
		r = back_row(&rest, &row);
	}
	if (starts.failed)
		r = -1;
	for (at = starts.len; at > 0 && r == 0; at -= 4) {
		rest =
		    bytes_skip(page, be32_get(buf_bytes(&starts).p + at - 4));
		back_row(&rest, &row);
		r = row.had ? kv->ops->put(kv, row.table, row.key, row.val)
			    : kv->ops->del(kv, row.table, row.key);
	}
	buf_free(&starts);
	return (r);
}

static int
back_row(struct bytes *rest, struct undo_row *row)
{
	struct bytes *part[] = { &row->key, &row->val };
	size_t i, n;

	if (rest->n < 2 || rest->p[0] >= KV_TABLES)
		return (-1);
	row->table = (enum kv_table)rest->p[0];
	row->had = rest->p[1];
	*rest = bytes_skip(*rest, 2);
	for (i = 0; i < 2; i++) {
		if (rest->n < 4 || (n = be32_get(rest->p)) > rest->n - 4)
			return (-1);
		*part[i] = bytes_of(rest->p + 4, n);
		*rest = bytes_skip(*rest, 4 + n);
	}
	return (0);
}

/* Is there a work that was not done? */
static int
undo_open(struct kv *kv)
{
	uint8_t key[UNDO_KEY_BYTES];
	struct buf val = BUF_INIT;
	int r = kv->ops->get(kv, KV_REG, undo_key(key, 0), &val);

	buf_free(&val);
	return (r);
}

static int
undo_end(struct kv *kv, int r)
{
	if (r == -1) {
		kv->ops->abort(kv);
		return (-1);
	}
	return (kv->ops->commit(kv) == -1 ? -1 : r);
}

static int
back_last(struct bytes key, struct bytes val, void *arg)
{
	struct undo_found *f = arg;

	if (buf_add_bytes(&f->key, key) == -1 ||
	    buf_add_bytes(&f->val, val) == -1)
		return (-1);
	return (1);
}

static int
erase_each(struct bytes key, struct bytes val, void *arg)
{
	struct undo_found *f = arg;

	(void)val;
	if (key.n != UNDO_KEY_BYTES)
		return (-1);
	f->page[f->n++] = be32_get(key.p + 9);
	return (f->n == ERASE_PAGES);
}

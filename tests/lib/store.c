/* Makes and removes stores for tests; see store.h. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "common/limits.h"
#include "common/log.h"
#include "tests/lib/store.h"

static int store_unlink(const char *, const struct stat *, int, struct FTW *);
static void store_each(struct kv *, enum kv_table, kv_each *, void *);
static kv_each store_digest_row, store_count_row;

char store_bdb_wanted[1];

void
store_new(struct store *s, enum store_make make)
{
	const char *tmp = getenv("TMPDIR");

	s->make = make;
	s->kv = NULL;
	s->dir[0] = '\0';
	if (make == STORE_BDB) {
		snprintf(s->dir, sizeof(s->dir), "%.200s/quire-store.XXXXXX",
		    tmp == NULL ? "/tmp" : tmp);
		if (mkdtemp(s->dir) == NULL)
			fatal(1, "%s", s->dir);
	}
	store_reopen(s);
}

void
store_reopen(struct store *s)
{
	struct kv_bdb_options o = store_options(s->dir);
	char why[256] = "no memory";

	s->kv = s->make == STORE_MEM ? kv_mem_open()
				     : kv_bdb_open(&o, why, sizeof(why));
	if (s->kv == NULL)
		fatalx(1, "store: %s", why);
}

void
store_remove(struct store *s)
{
	if (s->kv != NULL)
		s->kv->ops->close(s->kv);
	s->kv = NULL;
	if (s->make == STORE_BDB)
		nftw(s->dir, store_unlink, 8, FTW_DEPTH | FTW_PHYS);
}

int
store_set_up(void **state)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return (-1);
	s->level = log_level_get();
	store_new(s, *state == NULL ? STORE_MEM : STORE_BDB);
	*state = s;
	return (0);
}

int
store_tear_down(void **state)
{
	struct store *s = *state;

	log_level_set(s->level);
	store_remove(s);
	free(s);
	return (0);
}

struct kv_bdb_options
store_options(const char *dir)
{
	return ((struct kv_bdb_options){
	    .dir = dir,
	    .cache_bytes = MIB,
	    .log_buffer_bytes = 256 * KIB,
	    .checkpoint_bytes = 4 * MIB,
	    .checkpoint_ms = 60000,
	});
}

static int
store_unlink(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return (remove(path));
}

void
store_digest(struct kv *kv, uint8_t out[STORE_DIGEST_LEN])
{
	crypto_generichash_state st;
	int table;

	crypto_generichash_init(&st, NULL, 0, STORE_DIGEST_LEN);
	for (table = 0; table < KV_TABLES; table++)
		store_each(kv, (enum kv_table)table, store_digest_row, &st);
	crypto_generichash_final(&st, out, STORE_DIGEST_LEN);
}

size_t
store_rows(struct kv *kv, enum kv_table table)
{
	size_t n = 0;

	store_each(kv, table, store_count_row, &n);
	return (n);
}

static void
store_each(struct kv *kv, enum kv_table table, kv_each *each, void *arg)
{
	if (kv->ops->scan(kv, table, BYTES_NONE,
		BYTES_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 0, each,
		arg) != 0)
		fatal(1, "scan");
}

static int
store_count_row(struct bytes key, struct bytes val, void *arg)
{
	(void)key;
	(void)val;
	++*(size_t *)arg;
	return (0);
}

static int
store_digest_row(struct bytes key, struct bytes val, void *arg)
{
	uint8_t size[16];

	be64_put(size, key.n);
	be64_put(size + 8, val.n);
	crypto_generichash_update(arg, size, sizeof(size));
	crypto_generichash_update(arg, key.p, key.n);
	if (val.n > 0)
		crypto_generichash_update(arg, val.p, val.n);
	return (0);
}

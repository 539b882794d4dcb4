/* Format and count of starts, among the store's own registers. */
#include <inttypes.h>
#include <stdio.h>

#include "broker/boot.h"
#include "broker/kv_undo.h"
#include "broker/txn_key.h"

static int boot_get(struct kv *, const char *, uint64_t *);
static int boot_put(struct kv *, const char *, uint64_t);
static kv_each boot_any;

int
boot_format(struct kv *kv, char *why, size_t size)
{
	uint64_t format;
	int found;

	if ((found = boot_get(kv, "format", &format)) == 0) {
		format = STORE_FORMAT;
		if ((found = kv->ops->scan(kv, KV_NAME, BYTES_NONE,
			 BYTES_LIT("\xff"), 0, boot_any, NULL)) == 1)
			format = 1; /* did not say so yet */
	}
	if (found == -1)
		snprintf(why, size, "cannot be read");
	else if (format != STORE_FORMAT)
		snprintf(why, size,
		    "is of format %" PRIu64 ", this build reads only %d: "
		    "move it away, or export it with the build that made it",
		    format, STORE_FORMAT);
	else if ((found = kv_undo_recover(kv)) == -1)
		snprintf(why, size, "cannot be recovered");
	return (found == -1 || format != STORE_FORMAT ? -1 : 0);
}

int
boot_count(struct kv *kv, uint64_t *boot)
{
	if (boot_get(kv, "boot", boot) == -1 || kv->ops->begin(kv) == -1)
		return (-1);
	++*boot;
	if (boot_put(kv, "boot", *boot) == -1 ||
	    boot_put(kv, "format", STORE_FORMAT) == -1) {
		kv->ops->abort(kv);
		return (-1);
	}
	return (kv->ops->commit(kv) == -1 ? -1 : kv->ops->flush(kv));
}

/* 1; 0: not there, *v is 0; -1. */
static int
boot_get(struct kv *kv, const char *name, uint64_t *v)
{
	struct buf key = BUF_INIT, val = BUF_INIT;
	int r = -1;

	*v = 0;
	key_reg(&key, 0, KEY_PLAIN, bytes_str(name));
	if (!key.failed)
		r = kv->ops->get(kv, KV_REG, buf_bytes(&key), &val);
	if (r == 1 && val.len == 8)
		*v = be64_get(buf_bytes(&val).p);
	else if (r == 1)
		r = -1;
	buf_free(&key);
	buf_free(&val);
	return (r);
}

static int
boot_put(struct kv *kv, const char *name, uint64_t v)
{
	struct buf key = BUF_INIT;
	uint8_t val[8];
	int r = -1;

	be64_put(val, v);
	key_reg(&key, 0, KEY_PLAIN, bytes_str(name));
	if (!key.failed)
		r = kv->ops->put(kv, KV_REG, buf_bytes(&key),
		    bytes_of(val, sizeof(val)));
	buf_free(&key);
	return (r);
}

static int
boot_any(struct bytes key, struct bytes val, void *arg)
{
	(void)key;
	(void)val;
	(void)arg;
	return (1);
}

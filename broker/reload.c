/*
 * What a reload changes.  Who reads the files, and how they come here, is
 * control_reload.c's.
 */
#include <string.h>

#include "broker/reload.h"
#include "broker/trace.h"
#include "common/log.h"

static int reload_fixed(const char *);
static int reload_same(const struct conf_row *, const void *, const void *);
static void reload_swap(const struct conf_row *, void *, void *);
static size_t reload_size(const struct conf_row *);
static session_match reload_keyless;

/* What is done with at the start, or before the sandbox. */
static const char *const reload_fixed_names[] = { "user", "group", "chroot",
	"data", "socket", "worker_user", "control", "sandbox", "oidc_jwks",
	"log", "metrics", "fast_lane", "ring_idle_ms", "cache_bytes",
	"log_buffer_bytes", "checkpoint_bytes", "checkpoint_ms" };

const char *
reload_wrong(const struct broker *b, const struct reload *r)
{
	if (strcmp(b->conf->control, r->conf->control) != 0 ||
	    strcmp(b->conf->data, r->conf->data) != 0)
		return ("that is another broker's configuration");
	if (reload_kids_clash(r->keys, r->jwks != NULL ? r->jwks : b->jwks))
		return ("keys and oidc_jwks have a kid in common");
	return (NULL);
}

size_t
reload_take(struct broker *b, struct reload *r, reload_said *said, void *arg)
{
	int log_level = b->conf->log_level;
	const struct conf_row *row;
	struct jwks *jwks = b->jwks;
	struct keyring *keys = b->keys;
	struct statics *statics = b->statics;
	size_t i, n;

	for (i = 0; i < config_row_count; i++) {
		row = &config_rows[i];
		if (reload_same(row, b->conf, r->conf))
			continue;
		if (!reload_fixed(row->name))
			reload_swap(row, b->conf, r->conf);
		said(row->name, reload_fixed(row->name), arg);
	}
	bounds_renew(b);
	buf_free(&b->settings);
	/* One that was set by command stays. */
	if (b->conf->log_level != log_level)
		log_level_set((enum log_level)b->conf->log_level);
	trace_watch_all(b);
	b->keys = r->keys;
	r->keys = keys;
	b->statics = r->statics;
	r->statics = statics;
	if (r->jwks != NULL && jwks != NULL) {
		b->jwks = r->jwks;
		r->jwks = jwks;
	}
	n = session_kick_each(b, reload_keyless, b, CODE_REVOKED);
	reload_free(r);
	return (n);
}

void
reload_free(struct reload *r)
{
	config_free(r->conf);
	keyring_free(r->keys);
	jwks_free(r->jwks);
	statics_free(r->statics);
	memset(r, 0, sizeof(*r));
}

int
reload_kids_clash(const struct keyring *keys, const struct jwks *jwks)
{
	size_t i;

	for (i = 0; jwks != NULL && i < jwks->n; i++)
		if (keyring_next(keys, bytes_str(jwks->keys[i].kid), NULL) !=
		    NULL)
			return (1);
	return (0);
}

static int
reload_fixed(const char *name)
{
	size_t i;

	for (i = 0;
	     i < sizeof(reload_fixed_names) / sizeof(reload_fixed_names[0]);
	     i++)
		if (strcmp(name, reload_fixed_names[i]) == 0)
			return (1);
	return (0);
}

static int
reload_same(const struct conf_row *row, const void *a, const void *b)
{
	const void *x = (const char *)a + row->offset;
	const void *y = (const char *)b + row->offset;
	const struct conf_list *lx = x, *ly = y;
	size_t i;

	switch (row->type) {
	case CONF_STRING:
	case CONF_PATH:
		return (strcmp(*(char *const *)x, *(char *const *)y) == 0);
	case CONF_LIST:
		for (i = 0; lx->n == ly->n && i < lx->n; i++)
			if (strcmp(lx->v[i], ly->v[i]) != 0)
				return (0);
		return (lx->n == ly->n);
	default:
		return (memcmp(x, y, reload_size(row)) == 0);
	}
}

/* In its place: who holds the struct has the new value. */
static void
reload_swap(const struct conf_row *row, void *a, void *b)
{
	char *x = (char *)a + row->offset, *y = (char *)b + row->offset;
	char was[sizeof(struct conf_list)];
	size_t n = reload_size(row);

	memcpy(was, x, n);
	memcpy(x, y, n);
	memcpy(y, was, n);
}

static size_t
reload_size(const struct conf_row *row)
{
	switch (row->type) {
	case CONF_BOOL:
		return (sizeof(bool));
	case CONF_ENUM:
		return (sizeof(int));
	case CONF_STRING:
	case CONF_PATH:
		return (sizeof(char *));
	case CONF_LIST:
		return (sizeof(struct conf_list));
	default:
		return (sizeof(int64_t));
	}
}

/* It was let in by a key, ours or an issuer's, or a static token that is no
 * more, so it is as if revoked. */
static int
reload_keyless(const struct session *s, const void *arg)
{
	const struct broker *b = arg;
	uint64_t key = s->claims.key;

	return (s->claims.text != NULL && key != 0 &&
	    !keyring_marked(b->keys, key) && !jwks_marked(b->jwks, key) &&
	    !statics_marked(b->statics, key));
}

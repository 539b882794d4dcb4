/* What workers are told in WELCOME: common/settings.def out of the settings. */
#include <inttypes.h>

#include "broker/broker.h"

static void settings_number(struct buf *, const char *, int64_t);
static void settings_text(struct buf *, const char *, const char *);

static const char *
settings_root(int root)
{
	static const char *const names[] = { [ROOT_NONE] = "none",
		[ROOT_SECSYNC] = "secsync",
		[ROOT_CANVAS] = "canvas" };

	return (names[root]);
}

int
settings_pack(const struct config *c, struct buf *out)
{
	const char *root = settings_root(c->root);
	size_t i;

#define NUMBER(name) settings_number(out, #name, (int64_t)c->name);
#define TEXT(name)   settings_text(out, #name, SETTINGS_TEXT_##name);
#define LIST(name)                                                             \
	for (i = 0; i < c->name.n; i++)                                        \
		settings_text(out, #name, c->name.v[i]);
#define SETTINGS_TEXT_root	     root
#define SETTINGS_TEXT_secsync_prefix c->secsync_prefix
#define SETTINGS_TEXT_canvas_prefix  c->canvas_prefix
#define SETTINGS_TEXT_public_url     c->public_url
#include "common/settings.def"
#undef NUMBER
#undef TEXT
#undef LIST
	return (out->failed ? -1 : 0);
}

static void
settings_number(struct buf *out, const char *name, int64_t value)
{
	buf_printf(out, "%s %" PRId64 "\n", name, value);
}

static void
settings_text(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s %s\n", name, value);
}

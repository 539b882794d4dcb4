/* The two tables of cache codes. */
#include "common/json.h"
#include "worker/transit_cache.h"

#define CODE_FIRST '0'
#define CODE_BASE  44u

static int codes_long(struct bytes raw);
static int codes_counts(struct bytes raw, int key);
static int codes_index(struct bytes raw, unsigned *at);
static int cache_long(struct bytes text);
static int cache_counts(struct bytes text, int key);
static uint32_t cache_hash(struct bytes);
static struct bytes cache_text(const struct transit_cache *, unsigned at);
static size_t cache_code(unsigned at, char code[TRANSIT_CODE_MAX]);

void
transit_codes_init(struct transit_codes *c)
{
	c->n = c->known = 0;
}

int
transit_codes_read(struct transit_codes *c, struct bytes *raw, int key)
{
	unsigned at;

	if (codes_counts(*raw, key)) {
		if (c->n == TRANSIT_CODES)
			c->n = 0;
		c->raw[c->n++] = *raw;
		if (c->known < c->n)
			c->known = c->n;
		return (0);
	}
	if (raw->n == 0 || raw->p[0] != '^' || bytes_eq(*raw, BYTES_LIT("^ ")))
		return (0);
	if (codes_index(*raw, &at) == -1 || at >= c->known)
		return (-1);
	*raw = c->raw[at];
	return (0);
}

/* Whether it has more than three UTF-16 code units. */
static int
codes_long(struct bytes raw)
{
	unsigned units = 0;
	uint32_t cp;

	while (units <= 3 && json_raw_next(&raw, &cp))
		units += cp > 0xffff ? 2 : 1;
	return (units > 3);
}

static int
codes_counts(struct bytes raw, int key)
{
	uint32_t a, b;
	struct bytes rest = raw;

	if (raw.n <= 3 || !codes_long(raw))
		return (0);
	if (key)
		return (1);
	return (json_raw_next(&rest, &a) && a == '~' &&
	    json_raw_next(&rest, &b) && (b == ':' || b == '$' || b == '#'));
}

static int
codes_index(struct bytes raw, unsigned *at)
{
	unsigned digit, i;

	if (raw.n < 2 || raw.n > TRANSIT_CODE_MAX)
		return (-1);
	for (*at = 0, i = 1; i < raw.n; i++) {
		digit = (unsigned)raw.p[i] - CODE_FIRST;
		if (digit >= CODE_BASE)
			return (-1);
		*at = *at * CODE_BASE + digit;
	}
	return (0);
}

void
transit_cache_init(struct transit_cache *c)
{
	transit_cache_clear(c);
}

void
transit_cache_clear(struct transit_cache *c)
{
	buf_clear(&c->text);
	c->n = 0;
	memset(c->slot, 0, sizeof(c->slot));
}

void
transit_cache_free(struct transit_cache *c)
{
	buf_free(&c->text);
	transit_cache_clear(c);
}

/*
 * When the table is full the next new string begins a new one.  Without memory
 * the string is not counted, and text is marked failed.
 */
size_t
transit_cache_write(struct transit_cache *c, struct bytes text, int key,
    char code[TRANSIT_CODE_MAX])
{
	uint32_t i;

	if (!cache_counts(text, key))
		return (0);
	i = cache_hash(text) % TRANSIT_SLOTS;
	for (; c->slot[i] != 0; i = (i + 1) % TRANSIT_SLOTS)
		if (bytes_eq(cache_text(c, c->slot[i] - 1u), text))
			return (cache_code(c->slot[i] - 1u, code));
	if (c->n == TRANSIT_CODES) {
		transit_cache_clear(c);
		i = cache_hash(text) % TRANSIT_SLOTS;
	}
	c->entry[c->n].at = c->text.len;
	c->entry[c->n].len = text.n;
	if (buf_add_bytes(&c->text, text) == -1)
		return (0);
	c->slot[i] = (uint16_t)(++c->n);
	return (0);
}

/* As codes_long, for what is UTF-8 already. */
static int
cache_long(struct bytes text)
{
	unsigned units = 0;
	size_t i;

	for (i = 0; i < text.n && units <= 3; i++)
		if ((text.p[i] & 0xc0) != 0x80)
			units += text.p[i] >= 0xf0 ? 2 : 1;
	return (units > 3);
}

static int
cache_counts(struct bytes text, int key)
{
	if (text.n <= 3 || !cache_long(text))
		return (0);
	return (key ||
	    (text.p[0] == '~' && strchr(":$#", text.p[1]) != NULL &&
		text.p[1] != '\0'));
}

/* FNV-1a: the strings are ours or one client's, and few. */
static uint32_t
cache_hash(struct bytes b)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < b.n; i++)
		h = (h ^ b.p[i]) * 16777619u;
	return (h);
}

static struct bytes
cache_text(const struct transit_cache *c, unsigned at)
{
	return (bytes_of(buf_bytes(&c->text).p + c->entry[at].at,
	    c->entry[at].len));
}

static size_t
cache_code(unsigned at, char code[TRANSIT_CODE_MAX])
{
	size_t n = 0;

	code[n++] = '^';
	if (at >= CODE_BASE)
		code[n++] = (char)(CODE_FIRST + at / CODE_BASE);
	code[n++] = (char)(CODE_FIRST + at % CODE_BASE);
	return (n);
}

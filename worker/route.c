/* The router: a table of dialects, and the list of origins allowed. */
#include "worker/route.h"

struct route_row {
	const struct dialect *dialect;
	size_t on; /* where in settings its switch is */
};

static const struct route_row route_rows[] = {
#define DIALECT(no, NAME, name)                                                \
	{ &dialect_##name, offsetof(struct settings, name) },
#include "common/dialects.def"
#undef DIALECT
};

static int route_on(const struct settings *, const struct route_row *);

const struct dialect *
route_find(const struct settings *s, const struct http_request *r)
{
	const struct route_row *row = route_rows;
	const struct dialect *rest = NULL;
	size_t i;
	int mine;

	for (i = 0; i < sizeof(route_rows) / sizeof(*row); i++, row++) {
		if (!route_on(s, row) || row->dialect->match == NULL)
			continue;
		if ((mine = row->dialect->match(s, r)) == 1)
			return (row->dialect);
		if (mine == -1)
			rest = row->dialect;
	}
	return (rest);
}

int
route_origin_ok(const struct settings *s, const struct http_request *r)
{
	struct bytes origin = http_header_get(r, "origin");
	unsigned n = http_header_count(r, "origin");
	char **allowed;

	if (s->origin == NULL || n == 0)
		return (1);
	for (allowed = s->origin; *allowed != NULL; allowed++)
		if (n == 1 && http_eq(origin, *allowed))
			return (1);
	return (0);
}

static int
route_on(const struct settings *s, const struct route_row *row)
{
	const uint8_t *at = (const uint8_t *)s + row->on;
	uint64_t on;

	memcpy(&on, at, sizeof(on));
	return (on != 0);
}

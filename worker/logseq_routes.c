/* From method and path to a row of the routes' tables. */
#include "worker/logseq.h"
#include "worker/url.h"

static const struct logseq_route *const routes_tables[] = {
	logseq_sync_routes,
	logseq_graphs_routes,
	logseq_members_routes,
	logseq_e2ee_routes,
	logseq_assets_routes,
};

/* Where the paths of this dialect begin; with a slash at its end: below it. */
static const char *const routes_roots[] = { "/health", "/graphs", "/graphs/",
	"/sync/", "/e2ee/", "/assets/" };

static int route_fits(struct logseq_web *, const struct logseq_route *,
    struct bytes path);
static int route_param(struct logseq_web *, size_t at, struct bytes segment);

const struct logseq_route *
logseq_route_find(struct logseq_web *w, struct bytes method, struct bytes path)
{
	const struct logseq_route *r;
	size_t i;

	for (i = 0; i < sizeof(routes_tables) / sizeof(*routes_tables); i++)
		for (r = routes_tables[i]; r->method != NULL; r++)
			if ((strcmp(r->method, "*") == 0 ||
				bytes_eq(method, bytes_str(r->method))) &&
			    route_fits(w, r, path))
				return (r);
	return (NULL);
}

int
logseq_route_ours(struct bytes path)
{
	struct bytes root;
	size_t i;

	for (i = 0; i < sizeof(routes_roots) / sizeof(*routes_roots); i++) {
		root = bytes_str(routes_roots[i]);
		if (root.p[root.n - 1] == '/' ? bytes_start(path, root)
					      : bytes_eq(path, root))
			return (1);
	}
	return (0);
}

/* Decoded names are never longer: room for all of them is made at once. */
static int
route_fits(struct logseq_web *w, const struct logseq_route *r,
    struct bytes path)
{
	struct bytes pattern = bytes_str(r->path), want, got;
	size_t at = 0;

	memset(w->param, 0, sizeof(w->param));
	buf_clear(&w->names);
	if (buf_room(&w->names, path.n) == NULL)
		return (0);
	while (url_segment_next(&pattern, &want)) {
		if (bytes_eq(want, BYTES_LIT("*"))) {
			w->param[at] = bytes_skip(path, 1);
			return (path.n > 0);
		}
		if (!url_segment_next(&path, &got))
			return (0);
		if (bytes_eq(want, BYTES_LIT(":"))) {
			if (route_param(w, at++, got) == -1)
				return (0);
		} else if (!bytes_eq(want, got))
			return (0);
	}
	return (path.n == 0);
}

static int
route_param(struct logseq_web *w, size_t at, struct bytes segment)
{
	uint8_t *out = buf_room(&w->names, segment.n);
	ssize_t n;

	if (segment.n == 0 || out == NULL ||
	    (n = url_decode(out, segment.n, segment, URL_LITERAL)) == -1)
		return (-1);
	buf_grow(&w->names, (size_t)n);
	w->param[at] = bytes_of(out, (size_t)n);
	return (0);
}

/*
 * Paths of the sds dialect: dot segments first, then cut, then decoded once,
 * so that %2F is part of a store's name and %2e%2e is not.
 */
#include "common/buf.h"
#include "worker/sds_path.h"
#include "worker/url.h"

struct sds_prefix {
	const char *word;
	enum sds_route route;
};

static const struct sds_prefix sds_prefixes[] = {
	{ "ws", SDS_ROUTE_STORE },
	{ "signal", SDS_ROUTE_SIGNAL },
};

static int sds_path_find(struct sds_path *, struct bytes path);
static enum sds_route sds_path_prefix(struct bytes segment);
static int sds_path_word(struct bytes segment, const char *);
static size_t sds_path_decode(uint8_t *out, struct bytes segment);
static int sds_path_alias(const struct sds_path *, struct bytes rest);

int
sds_path_parse(struct sds_path *sp, struct bytes target)
{
	struct buf room = BUF_INIT;
	struct bytes path, query;
	uint8_t *plain;
	ssize_t n;
	int ours = 0;

	memset(sp, 0, sizeof(*sp));
	url_split(target, &path, &query);
	if ((plain = buf_room(&room, path.n + 1)) == NULL)
		return (0);
	n = url_path_resolve(plain, path.n, path);
	if (n > 0)
		ours = sds_path_find(sp, bytes_of(plain, (size_t)n));
	buf_free(&room);
	return (ours);
}

static int
sds_path_find(struct sds_path *sp, struct bytes path)
{
	struct bytes rest = path, segment;
	enum sds_route route;

	if (!url_segment_next(&rest, &segment))
		return (0);
	if (sds_path_word(segment, "api")) {
		sp->route = SDS_ROUTE_TOKEN;
		return (url_segment_next(&rest, &segment) && rest.n == 0 &&
		    sds_path_word(segment, "token"));
	}
	if ((route = sds_path_prefix(segment)) == SDS_ROUTE_NONE ||
	    !url_segment_next(&rest, &segment))
		return (0);
	if (segment.n == 0)
		return (1);
	sp->n = sds_path_decode(sp->store, segment);
	if (rest.n == 0 ||
	    (route == SDS_ROUTE_STORE && sds_path_alias(sp, rest)))
		sp->route = route;
	return (1);
}

static enum sds_route
sds_path_prefix(struct bytes segment)
{
	size_t i;

	for (i = 0; i < sizeof(sds_prefixes) / sizeof(*sds_prefixes); i++)
		if (sds_path_word(segment, sds_prefixes[i].word))
			return (sds_prefixes[i].route);
	return (SDS_ROUTE_NONE);
}

static int
sds_path_word(struct bytes segment, const char *word)
{
	uint8_t plain[8];
	ssize_t n = url_decode(plain, sizeof(plain), segment, URL_RAW);

	return (
	    n != -1 && bytes_eq(bytes_of(plain, (size_t)n), bytes_str(word)));
}

static size_t
sds_path_decode(uint8_t *out, struct bytes segment)
{
	ssize_t n;

	n = url_decode(out, STORE_NAME_MAX_BYTES, segment, URL_LITERAL);
	return (n == -1 ? STORE_NAME_MAX_BYTES + 1 : (size_t)n);
}

/*
 * Clients whose WebRTC failed put "/ws/<store>" behind an address that ends so
 * already: the same store, named twice.
 */
static int
sds_path_alias(const struct sds_path *sp, struct bytes rest)
{
	uint8_t again[STORE_NAME_MAX_BYTES + 1];
	struct bytes segment;

	if (!url_segment_next(&rest, &segment) ||
	    sds_path_prefix(segment) != SDS_ROUTE_STORE ||
	    !url_segment_next(&rest, &segment) || rest.n != 0)
		return (0);
	return (sp->n <= STORE_NAME_MAX_BYTES &&
	    bytes_eq(bytes_of(again, sds_path_decode(again, segment)),
		bytes_of(sp->store, sp->n)));
}

/*
 * Request targets: path, query, percent-decoding, dot segments.  The dialects
 * read the same target differently (sds.md section 2, secsync.md section 3,
 * canvas.md section 1), so each says what it wants; nothing here routes.
 */
#ifndef QUIRE_URL_H
#define QUIRE_URL_H

#include <sys/types.h>

#include "common/bytes.h"

/* How url_decode treats what does not decode; one of these ... */
enum {
	URL_RAW,     /* %XX is an octet; a stray % stays */
	URL_LITERAL, /* a run of %XX that is not UTF-8 stays as written (sds) */
	URL_REPLACE, /* what is not UTF-8 becomes U+FFFD (canvas, secsync) */
};
#define URL_MODE 0x0f
#define URL_PLUS 0x10 /* ... or-ed with this one where + is a space */

#define URL_ABSENT (-2)

/* Cuts at the first '?'; a target without one has a query with p NULL. */
void url_split(struct bytes target, struct bytes *path, struct bytes *query);

/*
 * Decodes exactly once into out.  Octets written, or -1 if they do not fit.
 * RAW and LITERAL never write more than they read, REPLACE at most three times
 * as much.  The result may hold any octet, NUL and line ends too.
 */
ssize_t url_decode(uint8_t *out, size_t size, struct bytes in, int how);

/*
 * Takes the next name=value off the front of a query, both still encoded.
 * 1, or 0 at the end.  Empty pieces are skipped; without '=' the value has p
 * NULL.
 */
int url_query_next(struct bytes *query, struct bytes *name,
    struct bytes *value);

/*
 * The still encoded value of the first parameter whose decoded name is name,
 * which must be ASCII without '%'.  1 or 0; a value without '=' is empty.
 */
int url_query_find(struct bytes query, const char *name, int how,
    struct bytes *value);

/* The same, decoded: octets written, -1 if they do not fit, URL_ABSENT. */
ssize_t url_query_get(struct bytes query, const char *name, int how,
    uint8_t *out, size_t size);

/*
 * Resolves dot segments ("..", "%2e%2E" and so on) as the WHATWG URL parser
 * does for http, where '\' is a '/' too.  Writes at most path.n octets and
 * returns their number; -1 if path does not begin with '/' or out is too small.
 */
ssize_t url_path_resolve(uint8_t *out, size_t size, struct bytes path);

/*
 * Takes the next segment off a path that begins with '/': "/a/" gives "a" and
 * "".  1, or 0 at the end.  Segments are still encoded.
 */
int url_segment_next(struct bytes *path, struct bytes *segment);

#endif

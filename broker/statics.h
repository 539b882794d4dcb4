/*
 * Static tokens, for households without an issuer: a file with a line each,
 *
 *	hash scope subject store ...
 *
 * hash is the SHA-256 of the token in hexadecimal, so that who reads the file
 * has no token; in subject and store \xNN stands for an octet.  A store may end
 * in an asterisk and is then good for all whose name begins so.  '#' begins a
 * comment line.
 *
 * Tokens are random and long, as statics_make makes them, or a plain hash would
 * not do.
 */
#ifndef QUIRE_STATICS_H
#define QUIRE_STATICS_H

#include "common/buf.h"
#include "broker/claims.h"

struct statics;

/* Checked as a key file is, but others may read it.  NULL: the log says why. */
struct statics *statics_load(const char *path);
struct statics *statics_load_fd(int fd, const char *name);
struct statics *statics_parse(const char *name, struct bytes text);
void statics_free(struct statics *); /* NULL is fine */

/*
 * An enum token_result: TOKEN_OK fills *out, which the caller frees.  Takes the
 * same time whichever of them it is, and none.  NULL: there are none.
 */
int statics_verify(const struct statics *, struct bytes token,
    struct claims *out);
/* Whether a token of that mark (claims.key) is among them. */
bool statics_marked(const struct statics *, uint64_t mark);

/* Appends a new token and a newline to token, and its line to line: 0, -1. */
int statics_make(enum scope, struct bytes subject, const struct bytes *stores,
    size_t n, struct buf *token, struct buf *line);

#endif

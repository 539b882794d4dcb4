/*
 * Canonical JSON (RFC 8785, as npm's canonicalize writes it; secsync.md,
 * section 2): members sorted by UTF-16 code units, shortest numbers, no blanks.
 */
#ifndef QUIRE_SECSYNC_CANON_H
#define QUIRE_SECSYNC_CANON_H

#include "common/json.h"

#define SECSYNC_CANON_DEPTH 32

/*
 * Appends the canonical text of a value that json_parse has found good.  Of
 * members with one name the last counts.  0, or -1: no memory (ENOMEM), a
 * number beyond the doubles or deeper than SECSYNC_CANON_DEPTH (EINVAL); what
 * was appended is then worth nothing.
 */
int secsync_canon(struct buf *, const struct json *);

#endif

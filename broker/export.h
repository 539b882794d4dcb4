/*
 * One store as a portable stream, version 1: quire-export(5) has every octet.
 *
 *   "quire-export 1\n", then frames: type octet, length be32, payload
 *
 *   'S'  room be32, dialect's name NUL, name
 *   'B'  blob be64, slice be32, octets           in order, before the log
 *   'L'  number be64, record                     in order, stubs too
 *   'R'  type octet, key length be32, key, value registers, fields, counters
 *   'T'  number, oldest, records, bytes be64 each, chain
 *   'Z'  BLAKE2b-256 of all octets before this frame; the last one
 */
#ifndef QUIRE_EXPORT_H
#define QUIRE_EXPORT_H

#include <sodium.h>

#include "broker/txn.h"

#define EXPORT_MAGIC	  "quire-export 1\n"
#define EXPORT_HEAD_BYTES 5u
/* The largest payload: what fits a row of the store. */
#define EXPORT_FRAME_MAX (64u * 1024u * 1024u)

enum export_frame {
	EXPORT_STORE = 'S',
	EXPORT_BLOB = 'B',
	EXPORT_RECORD = 'L',
	EXPORT_REGISTER = 'R',
	EXPORT_TOTALS = 'T',
	EXPORT_END = 'Z'
};

struct export;

/* id is copied.  NULL: no memory. */
struct export *export_new(struct kv *, const struct doc_id *id);
/*
 * Appends some hundred KiB to *out.  The store may not change between steps.
 * 1: there is more; 0: that was all; -1: the store cannot be read, or is not
 * there.
 */
int export_step(struct export *, struct buf *out);
void export_free(struct export *);

struct import;

/*
 * Reads a stream into a store under a new id, which nothing names before
 * import_name.  Each call needs an open transaction; what an import that is
 * given up leaves is garbage (garbage.h).  NULL: failed.
 */
struct import *import_new(struct kv *);
/*
 * Takes whole frames from the front of *in.  1: more is needed; 0: the stream
 * is at its end and whole; -1: failed, import_why says how.
 */
int import_feed(struct import *, struct buf *in);
const char *import_why(const struct import *);
/* The name in the stream, once it has come, else NULL. */
const struct doc_id *import_id(const struct import *);
/*
 * After its end: from now on the document of that name is this one; the one
 * before becomes garbage.  0, -1.
 */
int import_name(struct import *, const struct doc_id *name);
void import_free(struct import *);

#endif

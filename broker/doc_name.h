/*
 * A document's name as operators write and read it:
 *
 *   dialect:name  or  dialect.room:name
 *
 * with \xNN for each octet of the name that log_quote does not show.
 */
#ifndef QUIRE_DOC_NAME_H
#define QUIRE_DOC_NAME_H

#include "broker/txn.h"

/* dst as log_quote's: cut to fit.  Returns dst. */
char *doc_name_text(char *dst, size_t size, const struct doc_id *);
#define DOC_NAME_TEXT_BYTES (4u * 1024u + 64u)

/* Fills id, whose name lies in mem.  0, -1: no such dialect, no name, memory.
 */
int doc_name_parse(struct bytes text, struct buf *mem, struct doc_id *id);

/* Adds the octets of a text in which \xNN stands for one. */
void doc_name_unquote(struct bytes text, struct buf *);

#endif

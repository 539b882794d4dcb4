/*
 * The sums that every octet of the store passes through, each time that it is
 * read: a record's own, and Berkeley DB's over a page or an entry of its log.
 */
#ifndef QUIRE_SUM_H
#define QUIRE_SUM_H

#include <db.h>

#include "common/bytes.h"

/* CRC-32 as zlib and everybody has it. */
uint32_t sum_crc32(struct bytes);
/*
 * What the library's own function of that name returns, which goes over them
 * octet by octet.  It calls this one, as any library calls a program's malloc;
 * where it does not (linked to itself, or other names in it), it is slower and
 * nothing else is changed.
 */
uint32_t sum_page(DB *, const void *, uint32_t) __asm__("__ham_func4");

#endif

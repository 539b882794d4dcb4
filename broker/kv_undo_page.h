/* The key of a page, for kv_undo.c and kv_undo_back.c only. */
#ifndef QUIRE_KV_UNDO_PAGE_H
#define QUIRE_KV_UNDO_PAGE_H

#include "common/bytes.h"

#define UNDO_KEY_BYTES 13u

static inline struct bytes
undo_key(uint8_t key[UNDO_KEY_BYTES], uint32_t page)
{
	be64_put(key, 0);
	key[8] = 'u';
	be32_put(key + 9, page);
	return (bytes_of(key, UNDO_KEY_BYTES));
}

#endif

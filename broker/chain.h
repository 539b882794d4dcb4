/*
 * The hashes over what is stored: of one record, of a blob slice by slice, and
 * the running one of a document's log, by which two machines see that they
 * hold the same (quire-export.5 tells them octet by octet).  BLAKE2b-256.
 */
#ifndef QUIRE_CHAIN_H
#define QUIRE_CHAIN_H

#include "broker/txn.h"

/*
 * Of record number r->seq, its body being the pieces one after the other.
 * blob: the digest of r->body.blob, looked at only if there is one.  The
 * blob's id is left out: it is this store's own affair.
 */
void chain_digest(uint8_t out[CHAIN_BYTES], const struct record *r,
    const struct bytes *piece, size_t n, const uint8_t *blob);
/* One record further; a document begins with zeros. */
void chain_link(uint8_t chain[CHAIN_BYTES], const uint8_t digest[CHAIN_BYTES]);
/* One slice further; a blob begins with zeros. */
void chain_slice(uint8_t digest[CHAIN_BYTES], uint32_t slice, struct bytes);

#endif

/* The hashes over what is stored.  Where they are kept is not told here. */
#include <sodium.h>

#include "broker/chain.h"

static void chain_number(crypto_generichash_state *, uint64_t);
static void chain_bytes(crypto_generichash_state *, struct bytes);

void
chain_digest(uint8_t out[CHAIN_BYTES], const struct record *r,
    const struct bytes *piece, size_t n, const uint8_t *blob)
{
	crypto_generichash_state h;
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < n; i++)
		size += piece[i].n;
	crypto_generichash_init(&h, NULL, 0, CHAIN_BYTES);
	chain_number(&h, r->seq);
	chain_number(&h, r->kind);
	chain_number(&h, r->origin);
	chain_number(&h, r->time_ms);
	chain_number(&h, size);
	for (i = 0; i < n; i++)
		chain_bytes(&h, piece[i]);
	if (r->body.blob != 0) {
		chain_number(&h, r->body.size);
		chain_bytes(&h, bytes_of(blob, CHAIN_BYTES));
	}
	crypto_generichash_final(&h, out, CHAIN_BYTES);
}

void
chain_link(uint8_t chain[CHAIN_BYTES], const uint8_t digest[CHAIN_BYTES])
{
	uint8_t both[2 * CHAIN_BYTES];

	memcpy(both, chain, CHAIN_BYTES);
	memcpy(both + CHAIN_BYTES, digest, CHAIN_BYTES);
	crypto_generichash(chain, CHAIN_BYTES, both, sizeof(both), NULL, 0);
}

void
chain_slice(uint8_t digest[CHAIN_BYTES], uint32_t slice, struct bytes b)
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, CHAIN_BYTES);
	chain_bytes(&h, bytes_of(digest, CHAIN_BYTES));
	chain_number(&h, slice);
	chain_bytes(&h, b);
	crypto_generichash_final(&h, digest, CHAIN_BYTES);
}

static void
chain_number(crypto_generichash_state *h, uint64_t v)
{
	uint8_t be[8];

	be64_put(be, v);
	crypto_generichash_update(h, be, sizeof(be));
}

static void
chain_bytes(crypto_generichash_state *h, struct bytes b)
{
	if (b.n > 0)
		crypto_generichash_update(h, b.p, b.n);
}

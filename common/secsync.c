/*
 * secsync on both sides of the IPC: packing of the shared lists, the hash and
 * the proof.  Signatures are the worker's (worker/secsync_verify.c).
 */
#include <sodium.h>

#include "common/base64url.h"
#include "common/secsync.h"
#include "common/wire.h"

static int list_add_be64(struct buf *, uint64_t);
static int list_next_be64(struct bytes *, uint64_t *);
static void hash_text(crypto_generichash_state *, const char *);
static void hash_bytes(crypto_generichash_state *, struct bytes);
static void hash_end(crypto_generichash_state *, char *);

int
secsync_head_pack(struct buf *out, const struct secsync_head *h)
{
	if (list_add(out, h->id) == -1 || list_add(out, h->proof) == -1 ||
	    list_add(out, h->hash) == -1 || list_add_be64(out, h->seq) == -1 ||
	    list_add_be64(out, h->updates) == -1)
		return (-1);
	return (list_add_be64(out, h->authors));
}

int
secsync_head_unpack(struct bytes in, struct secsync_head *h)
{
	if (list_next(&in, &h->id) != 1 || list_next(&in, &h->proof) != 1 ||
	    list_next(&in, &h->hash) != 1 ||
	    list_next_be64(&in, &h->seq) == -1 ||
	    list_next_be64(&in, &h->updates) == -1 ||
	    list_next_be64(&in, &h->authors) == -1)
		return (-1);
	return (in.n == 0 ? 0 : -1);
}

int
secsync_items_pack(struct buf *out, const struct secsync_items *it)
{
	if (list_add(out, it->id) == -1 || list_add(out, it->proof) == -1 ||
	    list_add(out, it->hash) == -1)
		return (-1);
	return (list_add(out, it->clocks));
}

int
secsync_items_unpack(struct bytes in, struct secsync_items *it)
{
	if (list_next(&in, &it->id) != 1 || list_next(&in, &it->proof) != 1 ||
	    list_next(&in, &it->hash) != 1 || list_next(&in, &it->clocks) != 1)
		return (-1);
	return (in.n == 0 ? 0 : -1);
}

int
secsync_grant_pack(struct buf *out, const struct secsync_grant *g)
{
	if (list_add_be64(out, g->ephemeral) == -1 ||
	    list_add_be64(out, g->rate) == -1 ||
	    list_add_be64(out, g->keys_given) == -1)
		return (-1);
	return (buf_add_bytes(out, g->keys));
}

int
secsync_grant_unpack(struct bytes in, struct secsync_grant *g)
{
	if (list_next_be64(&in, &g->ephemeral) == -1 ||
	    list_next_be64(&in, &g->rate) == -1 ||
	    list_next_be64(&in, &g->keys_given) == -1)
		return (-1);
	g->keys = in;
	return (0);
}

int
secsync_id_ok(struct bytes id)
{
	size_t i;

	if (id.n == 0 || id.n > SECSYNC_ID_MAX)
		return (0);
	for (i = 0; i < id.n; i++)
		if (id.p[i] <= ' ' || id.p[i] > '~' || id.p[i] == '"' ||
		    id.p[i] == '\\')
			return (0);
	return (1);
}

void
secsync_hash(char out[SECSYNC_HASH_LEN], struct bytes text)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, crypto_generichash_BYTES);
	hash_bytes(&st, text);
	hash_end(&st, out);
}

/* No value needs an escape: ids are checked, the others are base64url. */
void
secsync_proof(char out[SECSYNC_HASH_LEN], struct bytes id, struct bytes proof,
    struct bytes hash)
{
	crypto_generichash_state st;

	crypto_generichash_init(&st, NULL, 0, crypto_generichash_BYTES);
	hash_text(&st, "{\"grandParentSnapshotProof\":\"");
	hash_bytes(&st, proof);
	hash_text(&st, "\",\"parentSnapshotCiphertextHash\":\"");
	hash_bytes(&st, hash);
	hash_text(&st, "\",\"parentSnapshotId\":\"");
	hash_bytes(&st, id);
	hash_text(&st, "\"}");
	hash_end(&st, out);
}

static int
list_add_be64(struct buf *out, uint64_t v)
{
	uint8_t octets[8];

	be64_put(octets, v);
	return (list_add(out, bytes_of(octets, sizeof(octets))));
}

static int
list_next_be64(struct bytes *in, uint64_t *v)
{
	struct bytes b;

	if (list_next(in, &b) != 1 || b.n != 8)
		return (-1);
	*v = be64_get(b.p);
	return (0);
}

static void
hash_text(crypto_generichash_state *st, const char *text)
{
	hash_bytes(st, bytes_str(text));
}

static void
hash_bytes(crypto_generichash_state *st, struct bytes b)
{
	if (b.n > 0)
		crypto_generichash_update(st, b.p, b.n);
}

static void
hash_end(crypto_generichash_state *st, char *out)
{
	uint8_t hash[crypto_generichash_BYTES];

	crypto_generichash_final(st, hash, sizeof(hash));
	base64url_encode(out, bytes_of(hash, sizeof(hash)));
}

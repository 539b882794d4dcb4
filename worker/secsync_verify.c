/*
 * Ed25519 over the text of a message.  libsodium refuses scalars that are not
 * canonical and keys of small order; hashes are in common/secsync.c.
 */
#include <sodium.h>

#include "common/base64url.h"
#include "worker/secsync_verify.h"

static int add_base64(struct buf *, struct bytes);

static const char *const domains[] = {
	[SECSYNC_KIND_SNAPSHOT] = "secsync_snapshot",
	[SECSYNC_KIND_UPDATE] = "secsync_update",
	[SECSYNC_KIND_EPHEMERAL] = "secsync_ephemeral_message",
};

int
secsync_verify(const struct secsync_message *m)
{
	uint8_t key[crypto_sign_PUBLICKEYBYTES], sign[crypto_sign_BYTES];
	struct buf text = BUF_INIT;
	int rc = 0;

	if (m->kind == SECSYNC_KIND_NONE ||
	    base64url_decode(key, sizeof(key), m->key) != sizeof(key) ||
	    base64url_decode(sign, sizeof(sign), m->signature) != sizeof(sign))
		return (0);
	if (secsync_signed_text(&text, m) == -1)
		rc = -1;
	else if (crypto_sign_verify_detached(sign, buf_bytes(&text).p, text.len,
		     key) == 0)
		rc = 1;
	buf_free(&text);
	return (rc);
}

int
secsync_signed_text(struct buf *out, const struct secsync_message *m)
{
	/* One allocation: the ciphertext may be many megabytes. */
	if (buf_room(out, m->ciphertext.n + m->data.len * 2 + 256) == NULL)
		return (-1);
	buf_add_str(out, domains[m->kind]);
	buf_add_str(out, "{\"ciphertext\":\"");
	buf_add_bytes(out, m->ciphertext);
	buf_add_str(out, "\",\"nonce\":\"");
	buf_add_bytes(out, m->nonce);
	buf_add_str(out, "\",\"publicData\":\"");
	add_base64(out, buf_bytes(&m->data));
	buf_add_str(out, "\"}");
	return (out->failed ? -1 : 0);
}

static int
add_base64(struct buf *out, struct bytes b)
{
	size_t n = BASE64URL_LEN(b.n);
	uint8_t *room;

	if ((room = buf_room(out, n)) == NULL)
		return (-1);
	base64url_encode((char *)room, b);
	buf_grow(out, n);
	return (0);
}

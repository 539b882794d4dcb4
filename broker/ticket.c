/*
 * On the wire: nonce, then what crypto_secretbox makes of session, time and the
 * frame of the LOGIN.
 */
#include <string.h>

#include <sodium.h>

#include "broker/ticket.h"
#include "broker/txn_key.h"

#define TICKET_HEAD_BYTES 16u
#define TICKET_NAME	  BYTES_LIT("ticket")

static int ticket_key_make(struct kv *, struct bytes name,
    uint8_t key[TICKET_KEY_BYTES]);

int
ticket_key(struct kv *kv, uint8_t key[TICKET_KEY_BYTES])
{
	struct buf name = BUF_INIT, val = BUF_INIT;
	int r = -1;

	key_reg(&name, 0, KEY_PLAIN, TICKET_NAME);
	if (!name.failed)
		r = kv->ops->get(kv, KV_REG, buf_bytes(&name), &val);
	if (r == 0)
		r = ticket_key_make(kv, buf_bytes(&name), key);
	else if (r == 1 && val.len == TICKET_KEY_BYTES) {
		memcpy(key, buf_bytes(&val).p, TICKET_KEY_BYTES);
		r = 0;
	} else
		r = -1;
	buf_free(&name);
	buf_wipe(&val);
	return (r);
}

int
ticket_seal(const uint8_t key[TICKET_KEY_BYTES], uint64_t session,
    int64_t login_s, const struct msg *login, struct buf *out)
{
	struct buf plain = BUF_INIT;
	uint8_t *p = NULL;
	size_t n;

	buf_add_be64(&plain, session);
	buf_add_be64(&plain, (uint64_t)login_s);
	if (!plain.failed && ipc_pack(&plain, login) == 0) {
		n = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES +
		    plain.len;
		p = buf_room(out, n);
	}
	if (p != NULL) {
		randombytes_buf(p, crypto_secretbox_NONCEBYTES);
		crypto_secretbox_easy(p + crypto_secretbox_NONCEBYTES,
		    buf_bytes(&plain).p, plain.len, p, key);
		buf_grow(out, n);
	}
	buf_wipe(&plain);
	return (p == NULL ? -1 : 0);
}

int
ticket_open(const uint8_t key[TICKET_KEY_BYTES], struct bytes in,
    struct ticket *t)
{
	const size_t head =
	    crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
	struct bytes plain;
	uint8_t *p;

	memset(t, 0, sizeof(*t));
	if (in.n < head + TICKET_HEAD_BYTES ||
	    (p = buf_room(&t->plain, in.n - head)) == NULL)
		return (-1);
	if (crypto_secretbox_open_easy(p, in.p + crypto_secretbox_NONCEBYTES,
		in.n - crypto_secretbox_NONCEBYTES, in.p, key) == -1)
		return (-1);
	buf_grow(&t->plain, in.n - head);
	plain = buf_bytes(&t->plain);
	t->session = be64_get(plain.p);
	t->login_s = (int64_t)be64_get(plain.p + 8);
	plain = bytes_skip(plain, TICKET_HEAD_BYTES);
	if (ipc_unpack(plain, IPC_FROM_WORKER, &t->login) != (ssize_t)plain.n)
		return (-1);
	return (t->login.type == IPC_LOGIN ? 0 : -1);
}

void
ticket_free(struct ticket *t)
{
	buf_wipe(&t->plain);
}

static int
ticket_key_make(struct kv *kv, struct bytes name, uint8_t key[TICKET_KEY_BYTES])
{
	randombytes_buf(key, TICKET_KEY_BYTES);
	if (kv->ops->begin(kv) == -1)
		return (-1);
	if (kv->ops->put(kv, KV_REG, name, bytes_of(key, TICKET_KEY_BYTES)) ==
	    -1) {
		kv->ops->abort(kv);
		return (-1);
	}
	return (kv->ops->commit(kv) == -1 ? -1 : kv->ops->flush(kv));
}

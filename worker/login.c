/*
 * Tokens on their way from the client to the broker: cut at their dots, looked
 * at for the key's name, and out of our memory as soon as they are gone.
 */
#include <string.h>

#include "common/base64url.h"
#include "common/jwt.h"
#include "common/limits.h"
#include "common/log.h"
#include "worker/conn_internal.h"
#include "worker/url.h"

void
conn_login(struct conn *c, enum dialect_id dialect, struct bytes token,
    struct bytes store)
{
	struct msg m = MSG(LOGIN);
	struct bytes input, mac64, header;
	uint8_t mac[JWT_MAC_MAX];
	char kid[JWT_KID_MAX + 1];
	ssize_t nmac = 0, nkid = 0;
	const uint8_t *dot;

	if (c->unserved) {
		c->dialect->refused(c, CODE_BUSY);
		return;
	}
	if (store.n > STORE_NAME_MAX_BYTES)
		goto refused;
	/* A static token goes as it is, beside no MAC. */
	if (token_is_plain(token))
		input = token;
	else if (token_split(token, &input, &mac64) == -1 ||
	    (nmac = base64url_decode(mac, sizeof(mac), mac64)) == -1)
		goto refused;
	else {
		dot = memchr(input.p, '.', input.n);
		header = bytes_of(input.p, (size_t)(dot - input.p));
		if ((nkid = jwt_header_kid(header, kid, sizeof(kid))) == -1)
			goto refused;
	}
	m.f[login_dialect].u = dialect;
	m.f[login_input].b = input;
	m.f[login_mac].b = bytes_of(mac, (size_t)nmac);
	m.f[login_kid].b = bytes_of(kid, (size_t)nkid);
	m.f[login_store].b = store;
	link_send(c, &m);
	octets_wipe(mac, sizeof(mac));
	return;

refused:
	log_info("%s: login refused why=no-token", c->peer);
	c->end = SOURCE_REFUSED;
	if (c->dialect->refused != NULL)
		c->dialect->refused(c, CODE_BAD_TOKEN);
}

int
conn_login_query(struct conn *c, enum dialect_id dialect, struct bytes query,
    const char *name, struct bytes store)
{
	struct buf token = BUF_INIT;
	uint8_t *room = buf_room(&token, query.n + 1);
	ssize_t n;

	if (room == NULL) {
		conn_drop(c);
		return (0);
	}
	n = url_query_get(query, name, URL_REPLACE | URL_PLUS, room, query.n);
	if (n >= 0) {
		buf_grow(&token, (size_t)n);
		conn_login(c, dialect, buf_bytes(&token), store);
	}
	buf_wipe(&token);
	return ((int)(n < 0 ? n : 0));
}

/*
 * What kill and slow need of a client, and the patches they send.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "tests/lib/client.h"

static uint8_t patch_octet(uint32_t, uint32_t, size_t);

void
client_connect(struct ctl_ws *c, const struct server *s, const char *store,
    const char *scope)
{
	char *token = server_token(s, store, scope, 3600), *target;
	struct ctl_url url = { .host = "127.0.0.1" };

	if (asprintf(&target, "/ws/%s?token=%s", store, token) == -1)
		fatal(1, "no memory");
	snprintf(url.port, sizeof(url.port), "%u", s->port);
	url.target = target;
	ctl_ws_init(c);
	if (ctl_ws_dial(c, &url, CLIENT_MS) != 1 ||
	    ctl_ws_upgrade(c, &url, BYTES_NONE, CLIENT_MS) != 1)
		fatalx(1, "connect: %s", c->why == NULL ? "late" : c->why);
	free(token);
	free(target);
}

void
client_next(struct ctl_ws *c, struct ctl_ws_message *m)
{
	int r = ctl_ws_next(c, m, CLIENT_MS);

	if (r != 1)
		fatalx(1, "receive: %s", r == 0 ? "nothing came" : c->why);
}

void
client_send(struct ctl_ws *c, struct bytes data)
{
	int r = ctl_ws_send(c, WS_BINARY, data, CLIENT_MS);

	if (r != 1)
		fatalx(1, "send: %s", r == 0 ? "nothing is taken" : c->why);
}

void
patch_make(struct buf *out, uint32_t writer, uint32_t number, size_t size)
{
	size_t i;

	buf_clear(out);
	buf_add_u8(out, 1);
	buf_add_be32(out, writer);
	buf_add_be32(out, number);
	buf_add_be32(out, (uint32_t)size);
	for (i = PATCH_MIN; i < size; i++)
		buf_add_u8(out, patch_octet(writer, number, i));
	if (out->failed)
		fatalx(1, "no memory");
}

int
patch_read(struct bytes data, uint32_t *writer, uint32_t *number)
{
	size_t i;

	if (data.n < PATCH_MIN || data.p[0] != 1 ||
	    be32_get(data.p + 9) != data.n)
		return (-1);
	*writer = be32_get(data.p + 1);
	*number = be32_get(data.p + 5);
	for (i = PATCH_MIN; i < data.n; i++)
		if (data.p[i] != patch_octet(*writer, *number, i))
			return (-1);
	return (0);
}

static uint8_t
patch_octet(uint32_t writer, uint32_t number, size_t i)
{
	return ((uint8_t)((writer * 31 + number * 7 + i) % 251));
}

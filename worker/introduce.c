/*
 * A listed proxy introduces its client: by a PROXY header before the first
 * request, or by X-Forwarded-For in each.  From then on the log names the
 * client.
 */
#include <stdio.h>

#include "common/log.h"
#include "worker/conn_internal.h"
#include "worker/proxy.h"

static void introduce_as(struct conn *, const char *address);

int
introduce_header(struct conn *c)
{
	char address[PROXY_ADDRESS_MAX];
	ssize_t n;

	if (!c->proxied || c->introduced)
		return (1);
	if ((n = proxy_header(buf_bytes(&c->in), address)) == 0)
		return (0);
	c->introduced = 1;
	if (n > 0) {
		introduce_as(c, address);
		buf_drop(&c->in, (size_t)n);
	}
	return (1);
}

void
introduce_forwarded(struct conn *c, const struct http_request *r)
{
	struct bytes list = BYTES_NONE;
	char address[PROXY_ADDRESS_MAX];
	unsigned int i;

	if (!c->proxied)
		return;
	/* Of several lines the last was written by the nearest. */
	for (i = 0; i < r->headers_len; i++)
		if (http_eq(r->headers[i].name, "x-forwarded-for"))
			list = r->headers[i].value;
	if (proxy_forwarded(c->settings.proxy, list, address) == 0)
		introduce_as(c, address);
}

static void
introduce_as(struct conn *c, const char *address)
{
	if (*address == '\0')
		return;
	log_debug("%s: is %s", c->peer, address);
	snprintf(c->peer, sizeof(c->peer), "%s", address);
}

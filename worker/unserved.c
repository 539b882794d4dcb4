/*
 * A client that nobody will serve, for want of a broker or of a place.  It is
 * heard all the same, inside the sandbox and not for long, because how it must
 * be told depends on what it wants: clients of sds wait for ever where a status
 * stands in place of their upgrade, others wait longer the plainer it is.
 */
#include "worker/conn_internal.h"
#include "worker/proxy.h"

#define UNSERVED_MS	    2000 /* for each thing that it may do */
#define UNSERVED_BODY_BYTES (64u * 1024u)

static void unserved_settings(struct conn *);

void
unserved(struct conn *c)
{
	int again = c->confined;

	c->lost = c->unserved = 1;
	if (!again)
		unserved_settings(c);
	if (again || confine(c) == -1) {
		unserved_plain(c);
		return;
	}
	c->welcome = c->ending = 1;
	c->proxied = proxy_listed(c->settings.proxy, c->peer);
	conn_phase(c, CONN_HEAD, UNSERVED_MS);
}

void
unserved_plain(struct conn *c)
{
	reply_unavailable(c->fd, CONN_LINGER_MS);
	c->fd = -1;
	conn_drop(c);
}

/* What a listener knows, or what is asked most and can do no harm. */
static void
unserved_settings(struct conn *c)
{
	struct settings *s = &c->settings;

	if (c->news->settings != NULL) {
		*s = *c->news->settings;
	} else {
		memset(s, 0, sizeof(*s));
		s->sds = 1;
		s->sandbox = SANDBOX_LEVEL_OFF;
		s->body_max = UNSERVED_BODY_BYTES;
	}
	s->handshake_ms = s->message_ms = s->write_ms = UNSERVED_MS;
	s->idle_ms = s->ping_ms = s->http_idle_ms = 0;
}

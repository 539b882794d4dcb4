/*
 * The operator's address: accept, one head of a request, one answer, closed.
 * Whatever is not the plainest GET is refused (web_request.c); heads, time and
 * connections are bounded, and a client that is slow waits alone.
 */
#include <sys/queue.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <event2/util.h>

#include "broker/broker.h"
#include "broker/web.h"
#include "common/log.h"

#define WEB_CONNECTIONS_MAX 32
#define WEB_HEAD_MAX	    4096
#define WEB_WAIT_S	    5
#define WEB_BACKLOG	    32
/* Until who waits is looked at again, where descriptors are short. */
#define WEB_PAUSE_MS 100

struct web_client {
	struct web *web;
	struct bufferevent *bev;
	struct event *end; /* of its time */
	LIST_ENTRY(web_client) entry;
};

struct web {
	struct broker *broker;
	struct evconnlistener *listener;
	struct event *pause;
	LIST_HEAD(, web_client) clients;
	unsigned int n;
};

static web_path web_metrics, web_health, web_ready;

static const struct web_row {
	const char *path;
	web_path *answer;
	int named; /* shows names: not to a page that calls us by its own */
} web_rows[] = {
	{ "/", web_page, 1 },
	{ "/status.json", web_status, 1 },
	{ "/metrics", web_metrics, 0 },
	{ "/health", web_health, 0 },
	{ "/ready", web_ready, 0 },
};

static void web_accepted(struct evconnlistener *, evutil_socket_t,
    struct sockaddr *, int, void *);
static void web_short(struct evconnlistener *, void *);
static void web_again(evutil_socket_t, short, void *);
static void web_read(struct bufferevent *, void *);
static void web_written(struct bufferevent *, void *);
static void web_event(struct bufferevent *, short, void *);
static void web_late(evutil_socket_t, short, void *);
static void web_close(struct web_client *);
static unsigned int web_choose(struct bytes head, const struct web_row **);
static const struct web_row *web_find(struct bytes path);
static void web_send(struct web_client *, struct web_answer *);
static const char *web_reason(unsigned int status);

struct web *
web_new(struct broker *b)
{
	struct sockaddr_storage ss;
	struct web *w;
	int len;

	if (web_address(b->conf->metrics, &ss, &len) == -1 ||
	    (w = calloc(1, sizeof(*w))) == NULL)
		return (NULL);
	w->broker = b;
	LIST_INIT(&w->clients);
	w->listener = evconnlistener_new_bind(b->base, web_accepted, w,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
	    WEB_BACKLOG, (void *)&ss, len);
	w->pause = evtimer_new(b->base, web_again, w);
	if (w->listener != NULL && w->pause != NULL) {
		evconnlistener_set_error_cb(w->listener, web_short);
		return (w);
	}
	if (w->listener != NULL)
		evconnlistener_free(w->listener);
	if (w->pause != NULL)
		event_free(w->pause);
	free(w);
	return (NULL);
}

void
web_free(struct web *w)
{
	if (w == NULL)
		return;
	while (!LIST_EMPTY(&w->clients))
		web_close(LIST_FIRST(&w->clients));
	event_free(w->pause);
	evconnlistener_free(w->listener);
	free(w);
}

int
web_address(const char *text, struct sockaddr_storage *ss, int *len)
{
	const struct sockaddr_in *in = (const void *)ss;
	const struct sockaddr_in6 *in6 = (const void *)ss;
	const char *colon = strrchr(text, ':');

	*len = (int)sizeof(*ss);
	memset(ss, 0, sizeof(*ss));
	/* A port is read as far as it has digits; ::1 has none, which is 0.
	 */
	if (colon == NULL ||
	    colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
	    evutil_parse_sockaddr_port(text, (void *)ss, len) == -1)
		return (-1);
	return ((ss->ss_family == AF_INET6 ? in6->sin6_port : in->sin_port) == 0
		? -1
		: 0);
}

static void
web_accepted(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa,
    int len, void *arg)
{
	const struct timeval wait = { WEB_WAIT_S, 0 };
	struct web *w = arg;
	struct web_client *c;

	(void)l;
	(void)sa;
	(void)len;
	if (w->n >= WEB_CONNECTIONS_MAX ||
	    (c = calloc(1, sizeof(*c))) == NULL) {
		evutil_closesocket(fd);
		return;
	}
	c->web = w;
	c->bev =
	    bufferevent_socket_new(w->broker->base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->end = evtimer_new(w->broker->base, web_late, c);
	LIST_INSERT_HEAD(&w->clients, c, entry);
	w->n++;
	if (c->bev == NULL)
		evutil_closesocket(fd);
	if (c->bev == NULL || c->end == NULL ||
	    event_add(c->end, &wait) == -1) {
		web_close(c);
		return;
	}
	bufferevent_setcb(c->bev, web_read, NULL, web_event, c);
	bufferevent_set_max_single_read(c->bev, WEB_HEAD_MAX);
	bufferevent_enable(c->bev, EV_READ);
}

/* Who could not be let in waits still: at once would be for ever. */
static void
web_short(struct evconnlistener *l, void *arg)
{
	const struct timeval wait = { 0, WEB_PAUSE_MS * 1000 };
	struct web *w = arg;

	log_warn("accept on %s", w->broker->conf->metrics);
	if (event_add(w->pause, &wait) == 0)
		evconnlistener_disable(l);
}

static void
web_again(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval wait = { 0, WEB_PAUSE_MS * 1000 };
	struct web *w = arg;

	(void)fd;
	(void)what;
	if (evconnlistener_enable(w->listener) == -1)
		event_add(w->pause, &wait);
}

static void
web_read(struct bufferevent *bev, void *arg)
{
	struct web_client *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct web_answer a = { .status = 200, .type = "text/plain" };
	const struct web_row *row = NULL;
	size_t n = evbuffer_get_length(in);
	struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	const uint8_t *head = NULL;

	if (end.pos == -1 && n < WEB_HEAD_MAX)
		return;
	bufferevent_disable(bev, EV_READ);
	if (end.pos == -1)
		a.status = 431;
	else if ((head = evbuffer_pullup(in, end.pos)) == NULL && end.pos > 0)
		a.status = 503; /* no memory */
	else
		a.status = web_choose(bytes_of(head, (size_t)end.pos), &row);
	if (a.status == 200)
		row->answer(c->web->broker, &a);
	else
		buf_printf(&a.body, "%s\n", web_reason(a.status));
	web_send(c, &a);
	buf_free(&a.body);
}

static void
web_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	web_close(arg);
}

static void
web_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	web_close(arg);
}

static void
web_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	web_close(arg);
}

static void
web_close(struct web_client *c)
{
	LIST_REMOVE(c, entry);
	c->web->n--;
	if (c->end != NULL)
		event_free(c->end);
	if (c->bev != NULL)
		bufferevent_free(c->bev);
	free(c);
}

/* The status; 200: and the row. */
static unsigned int
web_choose(struct bytes head, const struct web_row **row)
{
	struct web_request r;
	unsigned int status = web_request(head, &r);

	if (status != 200)
		return (status);
	if ((*row = web_find(r.path)) == NULL)
		return (404);
	return ((*row)->named && !r.ours ? 421 : 200);
}

static const struct web_row *
web_find(struct bytes path)
{
	size_t i;

	for (i = 0; i < sizeof(web_rows) / sizeof(web_rows[0]); i++)
		if (bytes_eq(path, bytes_str(web_rows[i].path)))
			return (&web_rows[i]);
	return (NULL);
}

static void
web_send(struct web_client *c, struct web_answer *a)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (a->body.failed) {
		web_close(c);
		return;
	}
	evbuffer_add_printf(out,
	    "HTTP/1.1 %u %s\r\nContent-Type: %s; charset=utf-8\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n",
	    a->status, web_reason(a->status), a->type, a->body.len);
	if (a->status == 405)
		evbuffer_add_printf(out, "Allow: GET\r\n");
	if (a->policy != NULL)
		evbuffer_add_printf(out,
		    "Content-Security-Policy: %s\r\n"
		    "Referrer-Policy: no-referrer\r\n",
		    a->policy);
	evbuffer_add_printf(out, "\r\n");
	evbuffer_add(out, buf_bytes(&a->body).p, a->body.len);
	bufferevent_setcb(c->bev, NULL, web_written, web_event, c);
}

static const char *
web_reason(unsigned int status)
{
	switch (status) {
	case 200:
		return ("OK");
	case 404:
		return ("Not Found");
	case 405:
		return ("Method Not Allowed");
	case 421:
		return ("Misdirected Request");
	case 431:
		return ("Request Header Fields Too Large");
	case 503:
		return ("Service Unavailable");
	default:
		return ("Bad Request");
	}
}

static void
web_metrics(struct broker *b, struct web_answer *a)
{
	a->type = "text/plain; version=0.0.4";
	metrics_text(b, &a->body);
}

static void
web_health(struct broker *b, struct web_answer *a)
{
	(void)b;
	buf_add_str(&a->body, "ok\n");
}

static void
web_ready(struct broker *b, struct web_answer *a)
{
	const char *why = metrics_unready(b);

	if (why != NULL)
		a->status = 503;
	buf_printf(&a->body, "%s\n", why == NULL ? "ready" : why);
}

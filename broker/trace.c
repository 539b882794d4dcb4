/*
 * `trace SESSION [NAME,...]': a line a message until who asked leaves; session
 * 0 is every one, no name every message.
 *
 *	1763714405.123 session 17 > submit octets=120
 *	1763714405.125 session 17 < verdict octets=0 code=ok
 *	1763714405.125 session 17 > said octets=3 kind=text
 *
 * Who does not read misses lines, and is told how many.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"
#include "broker/trace.h"
#include "common/codes.h"
#include "common/frame.h"
#include "common/log.h"

/* What may wait unread. */
#define TRACE_UNREAD_MAX_BYTES ((size_t)1024 * 1024)

struct tracer {
	struct broker *broker;
	struct bufferevent *bev;
	uint64_t session; /* 0: all */
	uint64_t types;	  /* a bit each */
	uint64_t lost;
	TAILQ_ENTRY(tracer) entry;
};

_Static_assert(IPC_COUNT <= 64, "a bit each");

static int trace_words(struct tracer *, const char *);
static int trace_names(struct tracer *, const char *);
static void trace_gone(struct bufferevent *, short, void *);
static const char *trace_kind(uint64_t);
static session_each trace_watch_one;
static void trace_line(struct tracer *, const struct session *,
    const struct msg *, enum trace_way);

void
control_trace(struct broker *b, struct bufferevent *bev, const char *words)
{
	struct tracer *t = calloc(1, sizeof(*t));

	if (t == NULL || trace_words(t, words) == -1) {
		control_refuse(bev,
		    t == NULL ? "no memory" : "there is no such message");
		free(t);
		return;
	}
	t->broker = b;
	t->bev = bev;
	TAILQ_INSERT_TAIL(&b->tracers, t, entry);
	bufferevent_setcb(bev, NULL, NULL, trace_gone, t);
	bufferevent_set_timeouts(bev, NULL, NULL);
	bufferevent_enable(bev, EV_READ); /* to see it leave */
	trace_watch_all(b);
}

void
trace(const struct session *s, const struct msg *m, enum trace_way way)
{
	struct tracer *t;

	TAILQ_FOREACH(t, &s->broker->tracers, entry)
		if ((t->session == 0 || t->session == s->id) &&
		    m->type < IPC_COUNT &&
		    (t->types & UINT64_C(1) << m->type) != 0)
			trace_line(t, s, m, way);
}

void
trace_watch(struct session *s)
{
	const uint64_t told =
	    UINT64_C(1) << IPC_HEARD | UINT64_C(1) << IPC_SAID;
	struct msg m = MSG(WATCH);
	const struct tracer *t;
	uint64_t level = (uint64_t)log_level_get(), client = 0;

	TAILQ_FOREACH(t, &s->broker->tracers, entry)
		if ((t->session == 0 || t->session == s->id) &&
		    (t->types & told) != 0)
			client = 1;
	if (s->watch.level == level && s->watch.client == client)
		return;
	s->watch.level = level;
	s->watch.client = client;
	m.f[watch_level].u = level;
	m.f[watch_client].u = client;
	session_send(s, &m);
	session_flush(s);
}

void
trace_watch_all(struct broker *b)
{
	sessions_each(b, trace_watch_one, NULL);
}

static void
trace_watch_one(struct session *s, void *arg)
{
	(void)arg;
	if (s->state != IPC_NEW && !s->kicked)
		trace_watch(s);
}

/* Said already: it only had to be seen. */
int
handle_told(struct session *s, const struct msg *m)
{
	(void)s;
	(void)m;
	return (0);
}

void
traces_stop(struct broker *b)
{
	struct tracer *t;

	while ((t = TAILQ_FIRST(&b->tracers)) != NULL)
		trace_gone(t->bev, 0, t);
}

static int
trace_words(struct tracer *t, const char *words)
{
	char *end;

	t->session = strtoull(words, &end, 10);
	if (*words < '0' || *words > '9')
		return (-1);
	if (*end == '\0') {
		t->types = UINT64_MAX;
		return (0);
	}
	return (*end == ' ' ? trace_names(t, end + 1) : -1);
}

static int
trace_names(struct tracer *t, const char *names)
{
	unsigned int i;
	size_t n;

	for (;;) {
		n = strcspn(names, ",");
		for (i = 0; i < IPC_COUNT; i++)
			if (ipc_row(i) != NULL && strlen(ipc_name(i)) == n &&
			    strncasecmp(ipc_name(i), names, n) == 0)
				break;
		if (i == IPC_COUNT)
			return (-1);
		t->types |= UINT64_C(1) << i;
		if (names[n] == '\0')
			return (0);
		names += n + 1;
	}
}

static void
trace_gone(struct bufferevent *bev, short what, void *arg)
{
	struct tracer *t = arg;

	(void)what;
	TAILQ_REMOVE(&t->broker->tracers, t, entry);
	bufferevent_free(bev);
	if (!t->broker->stopping)
		trace_watch_all(t->broker);
	free(t);
}

static void
trace_line(struct tracer *t, const struct session *s, const struct msg *m,
    enum trace_way way)
{
	struct evbuffer *out = bufferevent_get_output(t->bev);
	const struct ipc_row *row = ipc_row(m->type);
	const char *code = NULL;
	struct timespec now;
	const char *kind = NULL;
	size_t octets = 0;
	unsigned int i;

	if (evbuffer_get_length(out) > TRACE_UNREAD_MAX_BYTES) {
		t->lost++;
		return;
	}
	if (t->lost > 0)
		evbuffer_add_printf(out, "lost %llu\n",
		    (unsigned long long)t->lost);
	t->lost = 0;
	for (i = 0; i < row->nfields; i++)
		if (row->field[i].type == IPC_BYTES)
			octets += m->f[i].b.n;
		else if (strcmp(row->field[i].name, "code") == 0)
			code = code_name((unsigned int)m->f[i].u);
	if (m->type == IPC_FETCHED)
		octets += (size_t)m->f[fetched_area].u;
	if (m->type == IPC_HEARD || m->type == IPC_SAID) {
		octets = (size_t)m->f[heard_size].u;
		kind = trace_kind(m->f[heard_kind].u);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	evbuffer_add_printf(out, "%lld.%03ld session %llu %c %s octets=%zu",
	    (long long)now.tv_sec, now.tv_nsec / 1000000,
	    (unsigned long long)s->id, way == TRACE_IN ? '>' : '<', row->name,
	    octets);
	if (kind != NULL)
		evbuffer_add_printf(out, " kind=%s", kind);
	evbuffer_add_printf(out, code == NULL ? "\n" : " code=%s\n", code);
}

static const char *
trace_kind(uint64_t kind)
{
	return (kind == 0	    ? "http"
		: kind == WS_TEXT   ? "text"
		: kind == WS_BINARY ? "binary"
				    : "other");
}

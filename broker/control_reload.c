/*
 * `reload FILE ...': the broker can open no file, so quirectl does, and passes
 * the descriptors.  Those of the words conf, keys, jwks and auth that follow
 * are promised, in this order; the broker says `send', and they come beside one
 * octet.  A line for each setting that differs: `now NAME' or `restart NAME';
 * then `keys N' and `ended N'.
 *
 * Descriptors come with the first octet that is read, so libevent must not read
 * it.
 */
#include <stdlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"
#include "broker/reload_files.h"

#define RELOAD_WAIT_S 10

struct waiting {
	struct broker *broker;
	struct bufferevent *bev;
	struct event ev;
	struct reload_files files;
};

static void reload_readable(evutil_socket_t, short, void *);
static const char *reload_answer(struct waiting *);
static void reload_end(struct waiting *, const char *why);
static void reload_gone(struct bufferevent *, short, void *);
static void reload_line(const char *, int, void *);

void
control_reload(struct broker *b, struct bufferevent *bev, const char *words)
{
	const struct timeval wait = { RELOAD_WAIT_S, 0 };
	struct waiting *w = calloc(1, sizeof(*w));

	if (w == NULL || reload_files_words(&w->files, words) == -1) {
		control_refuse(bev,
		    w == NULL ? "no memory"
			      : "reload [conf] keys [jwks] [auth]");
		free(w);
		return;
	}
	w->broker = b;
	w->bev = bev;
	bufferevent_setcb(bev, NULL, NULL, reload_gone, w);
	event_assign(&w->ev, b->base, bufferevent_getfd(bev), EV_READ,
	    reload_readable, w);
	event_add(&w->ev, &wait);
	evbuffer_add_printf(bufferevent_get_output(bev), "send\n");
}

static void
reload_readable(evutil_socket_t fd, short what, void *arg)
{
	struct waiting *w = arg;

	if (what == EV_TIMEOUT || reload_files_receive(&w->files, fd) == -1)
		reload_end(w, "the files did not come");
	else
		reload_end(w, reload_answer(w));
}

/* NULL, or why everything stays as it is. */
static const char *
reload_answer(struct waiting *w)
{
	struct evbuffer *out = bufferevent_get_output(w->bev);
	const char *why;
	size_t ended;

	why = reload_files_take(w->broker, &w->files, reload_line, out, &ended);
	if (why == NULL)
		evbuffer_add_printf(out, "keys %zu\nended %zu\ndone\n",
		    w->broker->keys->n, ended);
	return (why);
}

static void
reload_end(struct waiting *w, const char *why)
{
	struct bufferevent *bev = w->bev;

	event_del(&w->ev);
	reload_files_close(&w->files);
	free(w);
	if (why != NULL)
		control_refuse(bev, why);
	else
		control_answered(bev);
}

static void
reload_gone(struct bufferevent *bev, short what, void *arg)
{
	struct waiting *w = arg;

	(void)what;
	event_del(&w->ev);
	free(w);
	bufferevent_free(bev);
}

static void
reload_line(const char *setting, int fixed, void *out)
{
	evbuffer_add_printf(out, "%s %s\n", fixed ? "restart" : "now", setting);
}

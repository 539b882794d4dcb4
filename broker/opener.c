/*
 * The opener as the broker knows it: its start and end, and what is done with
 * what it answers.  What it does itself is in opener_run.c.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/opener.h"
#include "broker/reload_files.h"
#include "common/child.h"
#include "common/log.h"

struct opener {
	struct broker *broker;
	struct event ev;
	pid_t pid;
	int fd; /* -1: it is gone */
	int promised;
	struct reload_files files;
};

static void opener_read(evutil_socket_t, short, void *);
static int opener_line(struct opener *);
static void opener_files(struct opener *);
static void opener_died(struct opener *);

struct opener *
opener_start(const struct opener_source *start)
{
	struct opener *o;
	int r = -1;

	if ((o = calloc(1, sizeof(*o))) != NULL)
		r = child_start(&o->pid, &o->fd);
	if (r == 1)
		exit(opener_run(o->fd, start));
	if (r == 0) {
		fcntl(o->fd, F_SETFL, O_NONBLOCK); /* we never wait */
		return (o);
	}
	log_warn("opener");
	free(o);
	return (NULL);
}

int
opener_watch(struct opener *o, struct broker *b)
{
	if (o == NULL)
		return (0);
	o->broker = b;
	event_assign(&o->ev, b->base, o->fd, EV_READ | EV_PERSIST, opener_read,
	    o);
	return (event_add(&o->ev, NULL));
}

void
opener_ask(struct opener *o)
{
	/* EAGAIN: it has been asked often enough. */
	if (o == NULL || o->fd == -1)
		log_warnx("SIGHUP: nothing changed: the opener is gone, "
			  "quirectl reload does without");
	else if (send(o->fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 &&
	    errno != EAGAIN && errno != EWOULDBLOCK)
		log_warn("SIGHUP: nothing changed, use quirectl reload");
}

void
opener_stop(struct opener *o)
{
	if (o == NULL)
		return;
	if (o->fd != -1)
		opener_died(o);
	child_wait(o->pid);
	free(o);
}

static void
opener_read(evutil_socket_t fd, short what, void *arg)
{
	struct opener *o = arg;

	(void)fd;
	(void)what;
	if (o->promised) {
		opener_files(o);
		return;
	}
	if (opener_line(o) == 0)
		return;
	log_warnx("opener is gone; SIGHUP does nothing any more, "
		  "quirectl reload does");
	opener_died(o);
}

/* 0, or -1: there is none. */
static int
opener_line(struct opener *o)
{
	char line[OPENER_LINE_SIZE];
	ssize_t n = recv(o->fd, line, sizeof(line) - 1, MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return (0);
	if (n <= 0)
		return (-1);
	line[n] = '\0';
	o->promised = reload_files_words(&o->files, line) == 0;
	if (!o->promised)
		log_warnx("SIGHUP: nothing changed: %s", line);
	return (0);
}

/* If it has died meanwhile, the next line does not come. */
static void
opener_files(struct opener *o)
{
	const char *why = "the files did not come";
	size_t ended;

	o->promised = 0;
	if (reload_files_receive(&o->files, o->fd) == 0)
		why =
		    reload_files_take(o->broker, &o->files, NULL, NULL, &ended);
	reload_files_close(&o->files);
	if (why != NULL)
		log_warnx("SIGHUP: nothing changed: %s", why);
}

static void
opener_died(struct opener *o)
{
	event_del(&o->ev);
	close(o->fd);
	o->fd = -1;
}

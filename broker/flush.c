/*
 * The thread that waits for the disk, so that the loop need not: one flush at
 * a time, asked for by the loop, reported back to it through a pipe.
 *
 * A disk whose flushes are over soon is waited for in the loop itself: to wake
 * the thread and be woken by it takes a third as long as such a flush, and
 * nothing is decided meanwhile anyhow.  One that is slow goes to the thread
 * again until many were fast.
 *
 * A flush that fails is never tried again: the kernel may have thrown the
 * pages away.  The broker ends, nothing of the batch was shown to anyone, and
 * the next start recovers what is on disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "broker/broker.h"
#include "broker/thread.h"
#include "common/clock.h"
#include "common/log.h"

#define FLUSH_SOON_US	 500
#define FLUSH_MEAN_OF	 8
#define FLUSH_UNKNOWN_US 100000 /* until there were some */

struct flusher {
	struct kv *kv;
	int64_t mean_us; /* of the last; the thread's while it flushes */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int wanted;
	int quit;
	int pipe[2];
	struct event *ev;
	void (*done)(void *);
	void *arg;
};

static void *flusher_main(void *);
static void flusher_flush(struct flusher *);
static void flusher_reported(evutil_socket_t, short, void *);

struct flusher *
flusher_new(struct event_base *base, struct kv *kv, void (*done)(void *),
    void *arg)
{
	struct flusher *f;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return (NULL);
	f->kv = kv;
	f->mean_us = FLUSH_UNKNOWN_US;
	f->done = done;
	f->arg = arg;
	if (pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		goto err_free;
	if ((f->ev = event_new(base, f->pipe[0], EV_READ | EV_PERSIST,
		 flusher_reported, f)) == NULL ||
	    event_add(f->ev, NULL) == -1)
		goto err_pipe;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->wake, NULL);
	if ((errno = thread_start(&f->thread, flusher_main, f)) != 0)
		goto err_lock;
	return (f);

err_lock:
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
err_pipe:
	if (f->ev != NULL)
		event_free(f->ev);
	close(f->pipe[0]);
	close(f->pipe[1]);
err_free:
	free(f);
	return (NULL);
}

void
flusher_start(struct flusher *f)
{
	if (f->mean_us <= FLUSH_SOON_US) {
		flusher_flush(f);
		f->done(f->arg);
		return;
	}
	pthread_mutex_lock(&f->lock);
	f->wanted = 1;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
}

int64_t
flusher_mean_us(const struct flusher *f)
{
	return (f->mean_us);
}

void
flusher_free(struct flusher *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	f->quit = 1;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	event_free(f->ev);
	close(f->pipe[0]);
	close(f->pipe[1]);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static void *
flusher_main(void *arg)
{
	struct flusher *f = arg;

	pthread_mutex_lock(&f->lock);
	while (!f->quit) {
		if (!f->wanted) {
			pthread_cond_wait(&f->wake, &f->lock);
			continue;
		}
		f->wanted = 0;
		pthread_mutex_unlock(&f->lock);
		flusher_flush(f);
		while (write(f->pipe[1], "", 1) == -1 && errno == EINTR)
			;
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return (NULL);
}

static void
flusher_flush(struct flusher *f)
{
	int64_t from_us = clock_us();

	if (f->kv->ops->flush(f->kv) == -1)
		fatalx(EX_IOERR,
		    "store: the disk refused a flush; "
		    "stopping, nothing of it was acknowledged");
	f->mean_us += (clock_us() - from_us - f->mean_us) / FLUSH_MEAN_OF;
}

static void
flusher_reported(evutil_socket_t fd, short what, void *arg)
{
	struct flusher *f = arg;
	char c;

	(void)what;
	while (read(fd, &c, 1) == 1)
		f->done(f->arg);
}

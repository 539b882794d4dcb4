/*
 * A non-blocking channel of IPC frames over one Unix stream socket, with
 * descriptors passed beside them from the broker to a worker, and back only
 * where the broker waits for one: else it gives the kernel no room for them, so
 * it cannot be flooded.
 *
 * A socket that comes to a worker alone, with an octet that is no frame's, is
 * the keeper's word that this channel has ended, and where it goes on.
 *
 * A channel knows nothing of events: whoever owns it polls its descriptor.
 */
#ifndef QUIRE_CHAN_H
#define QUIRE_CHAN_H

#include <sys/types.h>

#include "common/buf.h"
#include "common/ipc.h"

#define CHAN_FDS_MAX 4
/* With more than this queued, nothing is added until some is flushed. */
#define CHAN_OUT_MAX_BYTES (4u * 1024 * 1024)

struct chan {
	int fd;		      /* -1 when closed; owned */
	enum ipc_sender peer; /* whose messages are accepted */
	int takes_fds;	      /* 1: descriptors are let in */
	struct buf in;
	struct buf out;
	size_t used;	       /* octets of in that the last message borrows */
	int used_secret;       /* which is one with a token */
	int fds[CHAN_FDS_MAX]; /* received, not yet taken; -1 empty */
	int next;	       /* the socket to go on with, -1 none came */
	int send_fds[CHAN_FDS_MAX]; /* to go with the octet at send_fds_at */
	size_t nsend_fds;
	size_t send_fds_at;
	int secret; /* a token is in out, which leaves no trace of it */
};

/* Takes fd over (it becomes non-blocking and close-on-exec). */
void chan_init(struct chan *, int fd, enum ipc_sender peer, int takes_fds);
void chan_close(struct chan *); /* harmless on a closed one */

/*
 * Reads what is there.  1: something came; 0: nothing now; -1: end or error
 * (errno; ECONNRESET at the end).  One call stops at about a frame's worth, or
 * behind descriptors: who waits edge-triggered takes the messages and calls
 * again until it says 0.
 */
int chan_read(struct chan *);

/*
 * The next whole message.  1: in *m, borrowed until the next chan_next or
 * chan_read; 0: none yet; -1: the peer broke the protocol.
 */
int chan_next(struct chan *, struct msg *);

/* A received descriptor, now the caller's; -1 when there is none. */
int chan_take_fd(struct chan *);
int chan_take_next(struct chan *); /* likewise */

/* Queues a message.  0, or -1: no memory or over a limit (ENOBUFS: queue). */
int chan_send(struct chan *, const struct msg *);
/*
 * The same of a message whose last field is all of body, which is taken over
 * instead of copied (and is empty then) where nothing is queued and it has room
 * in front, see ipc_pack_front.
 */
int chan_send_body(struct chan *, const struct msg *, struct buf *body);
/*
 * Queues a message with descriptors (duplicated: the caller keeps its own).
 * One such message may be under way at a time: -1 with EAGAIN otherwise.
 */
int chan_send_fds(struct chan *, const struct msg *, const int *fds, size_t n);

/*
 * The same now or not at all: -1 with nothing queued when something waits
 * already, or when the kernel takes no descriptors at the moment (ETOOMANYREFS:
 * all processes of a user share what may be under way).
 */
int chan_try_fds(struct chan *, const struct msg *, const int *fds, size_t n);

/* Writes what is queued.  0: all gone; 1: some left; -1: error. */
int chan_flush(struct chan *);
size_t chan_pending(const struct chan *); /* octets queued */

/*
 * Connects to the broker's socket.  A descriptor, or -1 with errno: EAGAIN when
 * as many wait there as may, and none was let in within a second.
 */
int chan_connect(const char *path);

#endif

/*
 * Telling whoever started us that clients may come: a newline on a descriptor,
 * as s6 expects it, and READY=1 to the socket in NOTIFY_SOCKET, as systemd does
 * with Type=notify.
 */
#ifndef QUIRE_READY_H
#define QUIRE_READY_H

struct ready {
	int fd;	    /* of option -r; -1: none */
	int notify; /* connected to NOTIFY_SOCKET; -1: none */
};

#define READY_INIT                                                             \
	{                                                                      \
		.fd = -1, .notify = -1                                         \
	}

/*
 * Connects to NOTIFY_SOCKET, if it is set, and removes it from the environment;
 * to be called before the sandbox, which lets nobody make a socket.  Failure is
 * logged and leaves notify at -1.
 */
void ready_open(struct ready *);

/* Says it wherever it is wanted, and closes both.  Failures are logged. */
void ready_say(struct ready *);

#endif

/* The BSDs' declarations, for `make lint-foreign' on another system. */
#ifndef QUIRE_STUB_BSD_EVENT_H
#define QUIRE_STUB_BSD_EVENT_H

#include <stdint.h>
#include <time.h>

struct kevent {
	uintptr_t ident;
	short filter;
	unsigned short flags;
	unsigned int fflags;
	int64_t data;
	void *udata;
};

#define EVFILT_READ   (-1)
#define EVFILT_WRITE  (-2)
#define EVFILT_SIGNAL (-6)

#define EV_ADD	  0x0001
#define EV_DELETE 0x0002
#define EV_CLEAR  0x0020
#define EV_EOF	  0x8000

#define EV_SET(kev, id, filt, does, ff, octets, word)                          \
	do {                                                                   \
		(kev)->ident = (uintptr_t)(id);                                \
		(kev)->filter = (filt);                                        \
		(kev)->flags = (does);                                         \
		(kev)->fflags = (ff);                                          \
		(kev)->data = (octets);                                        \
		(kev)->udata = (void *)(word);                                 \
	} while (0)

int kqueue(void);
int kevent(int, const struct kevent *, int, struct kevent *, int,
    const struct timespec *);

#endif

/*
 * The files of a reload on their way to a broker that can open none: by
 * quirectl over the control socket, or by the opener (opener.h).  First the
 * words of those that come, in this order, then one octet and their
 * descriptors beside it.
 */
#ifndef QUIRE_RELOAD_FILES_H
#define QUIRE_RELOAD_FILES_H

#include "broker/reload.h"

enum reload_file {
	RELOAD_CONF,
	RELOAD_KEYS,
	RELOAD_JWKS,
	RELOAD_AUTH,
	RELOAD_FILES
};

#define RELOAD_WORDS_SIZE 32

struct reload_files {
	int wanted[RELOAD_FILES]; /* was it promised? */
	int fds[RELOAD_FILES];	  /* -1: not there */
};

/*
 * Who may open: takes over conf_fd (-1: none was read), and opens what the
 * settings name, keys instead of theirs if not NULL.  NULL, or which file errno
 * is about: then nothing is left open.
 */
const char *reload_files_open(struct reload_files *, int conf_fd,
    const char *keys, const struct config *);
/* Into dst, which has RELOAD_WORDS_SIZE octets and is returned. */
char *reload_files_name(const struct reload_files *, char *dst);
/* 0, or -1 with errno. */
int reload_files_pass(int fd, const struct reload_files *);

/* The broker.  -1: they are no such words, or there is no `keys'. */
int reload_files_words(struct reload_files *, const char *words);
/* Without waiting.  0: as many as were promised; -1: not so. */
int reload_files_receive(struct reload_files *, int fd);
/*
 * Takes over what stands in them, and says it in the log.  NULL, or why
 * everything stays as it is.  said may be NULL; *ended is as reload_take has
 * it.
 */
const char *reload_files_take(struct broker *, const struct reload_files *,
    reload_said *, void *arg, size_t *ended);

void reload_files_close(struct reload_files *);

#endif

/*
 * What a subverted worker would try first, tried: for the unit test and for
 * `quirectl sandbox'.  Each attempt runs in a child of its own that entered
 * sandbox_worker before.
 */
#ifndef QUIRE_SANDBOX_PROBE_H
#define QUIRE_SANDBOX_PROBE_H

#include "common/sandbox.h"

struct sandbox_attempt {
	const char *name;
	int (*run)(void);      /* 0: it went through; -1: refused, errno */
	unsigned int stoppers; /* layers that stop it, each by itself */
};

struct sandbox_outcome {
	struct sandbox_report report; /* of the child that tried */
	int allowed;		      /* 1: nothing stopped it */
	int error;		      /* errno of a refusal, or 0 */
	int signal;		      /* that ended the child, or 0 */
};

/* The attempts one after another; NULL behind the last. */
const struct sandbox_attempt *sandbox_attempt_at(size_t i);

/*
 * Forks and tries.  0, or -1 with errno when there was no such child or its
 * sandbox, under require, did not stand.
 */
int sandbox_probe(const struct sandbox_plan *, const struct sandbox_attempt *,
    struct sandbox_outcome *);

/* "killed (SIGSYS)", "Permission denied", "ALLOWED".  Returns dst. */
char *sandbox_outcome_text(char *dst, size_t size,
    const struct sandbox_outcome *);

/*
 * Between sandbox_probe's own files: the attempts that one system has alone,
 * ended by a row without a name, and what was made before the sandbox.
 */
extern const struct sandbox_attempt sandbox_attempts_here[];
struct sandbox_probe_props {
	pid_t parent;
	int tcp_fd;	 /* a fresh TCP socket */
	int program_fd;	 /* /bin/sh, open for reading */
	int file_fd;	 /* an unlinked regular file, open for writing */
	size_t data_max; /* of the plan */
};
extern struct sandbox_probe_props sandbox_props;

#endif

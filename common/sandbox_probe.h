/*
 * What a subverted process would try first, tried: for the unit test and for
 * `quirectl sandbox'.  Each attempt runs in a child of its own that entered the
 * sandbox of a role before.
 */
#ifndef QUIRE_SANDBOX_PROBE_H
#define QUIRE_SANDBOX_PROBE_H

#include "common/sandbox.h"

/* Whose business it is not: a bit a role.  A keeper is in its listener's
 * sandbox, fan-out in that of a worker whose memory has no bound. */
#define SANDBOX_WORKERS	  1u
#define SANDBOX_BROKERS	  2u
#define SANDBOX_LISTENERS 4u
#define SANDBOX_FANOUTS	  8u
#define SANDBOX_OPENERS	  16u
#define SANDBOX_ALL	  31u
#define SANDBOX_BUT(role) (SANDBOX_ALL & ~(role))

struct sandbox_attempt {
	const char *name;
	int (*run)(void);      /* 0: it went through; -1: refused, errno */
	unsigned int roles;    /* SANDBOX_WORKERS, ... */
	unsigned int stoppers; /* a worker's layers that stop it, each alone */
};

struct sandbox_outcome {
	struct sandbox_report report; /* of the child that tried */
	int allowed;		      /* 1: nothing stopped it */
	int error;		      /* errno of a refusal, or 0 */
	int signal;		      /* that ended the child, or 0 */
};

/* The attempts one after another; NULL behind the last. */
const struct sandbox_attempt *sandbox_attempt_at(size_t i);

/* Who tries. */
struct sandbox_who {
	unsigned int role;
	const struct sandbox_plan *plan;
	const char *data_dir; /* a broker's */
};

/*
 * Forks and tries.  0, or -1 with errno when there was no such child or its
 * sandbox, under require, did not stand.
 */
int sandbox_probe(const struct sandbox_who *, const struct sandbox_attempt *,
    struct sandbox_outcome *);
/* The same without any sandbox: what does not go through then proves nothing
 * about one. */
int sandbox_probe_bare(const struct sandbox_attempt *,
    struct sandbox_outcome *);
/* Those of the layers that stop it when they stand alone. */
unsigned int sandbox_probe_alone(const struct sandbox_who *,
    const struct sandbox_attempt *, unsigned int layers);

/* "killed (SIGSYS)", "Permission denied", "ALLOWED".  Returns dst. */
char *sandbox_outcome_text(char *dst, size_t size,
    const struct sandbox_outcome *);

/*
 * Between sandbox_probe.c and the attempts: those that every Unix knows, those
 * that one system has alone (each list ends in a row without a name), and what
 * was made for them before the sandbox.
 */
extern const struct sandbox_attempt sandbox_attempts[];
extern const struct sandbox_attempt sandbox_attempts_here[];
/* What cannot be had is -1, and an attempt with it fails. */
void sandbox_attempts_prepare(const struct sandbox_plan *);
void sandbox_attempts_prepare_here(void);
struct sandbox_probe_props {
	pid_t parent;
	int root_fd;	 /* the root directory as it was */
	int dir_fd;	 /* a directory that anybody may write to */
	int tcp_fd;	 /* a fresh TCP socket */
	int program_fd;	 /* /bin/sh, open for reading */
	int file_fd;	 /* an unlinked regular file, open for writing */
	size_t data_max; /* of the plan */
};
extern struct sandbox_probe_props sandbox_props;
/* What attempts leave in dir_fd when nothing stops them. */
#define SANDBOX_PROBE_FILE   "file"
#define SANDBOX_PROBE_DIR    "dir"
#define SANDBOX_PROBE_DEVICE "device"

#endif

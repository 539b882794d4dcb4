/*
 * What a process gives up before it meets a stranger's bytes: one function a
 * role, one file a system (sandbox_linux.c, ...), no #ifdef for the caller.
 *
 * A role is entered once, by a process with a single thread, after everything
 * that needs privilege or a name has been opened.  There is no way back.
 */
#ifndef QUIRE_SANDBOX_H
#define QUIRE_SANDBOX_H

#include <sys/types.h>

/* In the order of the setting `sandbox' in broker/config.def. */
enum sandbox_level {
	SANDBOX_LEVEL_REQUIRE,	   /* every wanted layer, or -1 */
	SANDBOX_LEVEL_BEST_EFFORT, /* what can be had; the report says what */
	SANDBOX_LEVEL_OFF	   /* root and user change only, as planned */
};

/* One bit a layer: SANDBOX_UID, SANDBOX_CHROOT, ... */
enum sandbox_layer {
#define LAYER(bit, NAME, name, text) SANDBOX_##NAME = 1u << (bit),
#include "common/sandbox.def"
#undef LAYER
	SANDBOX_NONE = 0
};

struct sandbox_plan {
	enum sandbox_level level;
	uid_t uid; /* to become; (uid_t)-1: stay */
	gid_t gid; /* (gid_t)-1: stay; used when uid is given */
	/* Becomes the root; "": a directory made and removed at once, in which
	 * there is and never will be anything; NULL: none.  Without privilege
	 * it takes a user namespace, where these are allowed. */
	const char *chroot_dir;
	/* 1: the working directory stays what it is, below the new root (a
	 * broker's) or beside it (a listener's, whose children connect to a
	 * name in it before they become workers and leave it). */
	int stay;
	/* Layers that stand already, inherited from a listener (its report's
	 * standing): what a child has of it, user, root, namespaces and some
	 * limits, is then left as it is. */
	unsigned int inherited;
	int namespaces; /* 1: unshare; a millisecond, so once in a listener */
	/* A broker's or an opener's: NULL, or files and directories that it
	 * may read again later (a broker beside its data directory), ended by
	 * NULL; names as seen before the root changes. */
	const char *const *readable;
	int network;	 /* a broker's: 1: may make and connect TCP sockets */
	size_t data_max; /* a worker's RLIMIT_DATA in octets; 0: no bound */
	unsigned int passed_fds; /* a worker's: descriptors still to come */
	/* A worker's: how many all processes of its user may have under way
	 * in sockets when it sends one, which the kernel bounds by the limit
	 * of those that the sender may have open.  0: that is passed_fds's. */
	unsigned int flight_fds;
	/* 0: all layers; else these alone, to see what each is good for. */
	unsigned int only;
};

#define SANDBOX_PLAN_INIT                                                      \
	{                                                                      \
		.level = SANDBOX_LEVEL_BEST_EFFORT, .uid = (uid_t)-1,          \
		.gid = (gid_t)-1, .passed_fds = 2                              \
	}

struct sandbox_report {
	unsigned int wanted;   /* layers that system, role and plan ask for */
	unsigned int standing; /* layers that stand */
	unsigned int failed;   /* the first wanted layer that does not, or 0 */
	int error;	       /* its errno */
	int landlock_abi;      /* of the running kernel, 0: none */
};

/*
 * Each returns 0, or -1 with errno when the process must not go on: level is
 * require and a layer is missing, or (at any level) root could not become the
 * planned user.  The report is filled either way.
 *
 * A worker keeps its memory, its descriptors and room for passed_fds more; it
 * opens, makes, signals and starts nothing.  poll_fd is its epoll or kqueue
 * descriptor, or -1.  Standard error stays usable: a pipe, a terminal or a
 * file.
 */
int sandbox_worker(const struct sandbox_plan *, int client_fd, int link_fd,
    int poll_fd, struct sandbox_report *);
/*
 * A broker keeps files below data_dir (a name as seen before the root changes),
 * threads, and the sockets it holds and accepts from; it starts no process.
 * Without plan->network it makes no socket but pairs.
 */
int sandbox_broker(const struct sandbox_plan *, const char *data_dir,
    struct sandbox_report *);
/*
 * A listener accepts, forks and reaps; its children can connect to a Unix
 * socket by name and enter sandbox_worker.  It opens no file, starts no
 * program.
 */
int sandbox_listener(const struct sandbox_plan *, struct sandbox_report *);
/*
 * An opener stays who it is, where it is, and may open for reading what is in
 * plan->readable, to pass it on; of root's privileges it keeps that of reading.
 * It has no network, makes and starts nothing.  The plan's user and root are
 * not looked at.
 */
int sandbox_opener(const struct sandbox_plan *, struct sandbox_report *);

/*
 * A user by name (NULL or "": stay), and a group (NULL or "": the user's own).
 * 0, or -1 with errno: ENOENT, there is no such user or group.
 */
int sandbox_plan_user(struct sandbox_plan *, const char *user,
    const char *group);

/*
 * Closes what a starter forgot to close: all from lowest on but the descriptor
 * kept (-1: none).  Returns that, by its new number, which is lowest.
 */
int sandbox_inherited(int lowest, int kept);
/* Closes every descriptor from lowest on. */
void sandbox_close_from(int lowest);

/* Names of the layers in the mask, a blank between, "none" for 0; cut to fit.
 * Returns dst. */
char *sandbox_names(char *dst, size_t size, unsigned int layers);
/* One line in the log: which layers stand, or which do not and why. */
void sandbox_say(const struct sandbox_report *);

#endif

/*
 * What the systems' sandbox files share: the report's bookkeeping and the
 * layers that every Unix has.  Not for callers of a sandbox.
 */
#ifndef QUIRE_SANDBOX_LAYERS_H
#define QUIRE_SANDBOX_LAYERS_H

#include "common/sandbox.h"

/*
 * AddressSanitizer maps terabytes and reads /proc when it reports, so a build
 * with it goes without system call filter and memory bound, and says so.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED 1
#endif
#endif
#ifndef SANDBOX_SANITIZED
#define SANDBOX_SANITIZED 0
#endif

/* system: the layers that this system has for the role, UID and CHROOT apart.
 */
void sandbox_begin(const struct sandbox_plan *, unsigned int system,
    struct sandbox_report *);
/* result: 0, the layer stands; -1, it does not and errno says why. */
void sandbox_note(struct sandbox_report *, unsigned int layer, int result);
/* For a layer that is wanted and does not stand; else the call is not made. */
#define SANDBOX_PUT(report, layer, call)                                       \
	do {                                                                   \
		if (((report)->wanted & ~(report)->standing & (layer)) != 0)   \
			sandbox_note((report), (layer), (call));               \
	} while (0)
/* The role's return value. */
int sandbox_end(const struct sandbox_plan *, const struct sandbox_report *);

/* An opener's plan: that which it was given, without another user or root. */
struct sandbox_plan sandbox_opener_plan(const struct sandbox_plan *);

/* 0, or -1 with errno; each is one layer.  EINVAL: root, and no user named. */
int sandbox_user_become(const struct sandbox_plan *);
int sandbox_limit_worker(const struct sandbox_plan *);
int sandbox_limit_listener(const struct sandbox_plan *);
int sandbox_limit_broker(const struct sandbox_plan *);

/*
 * Root and user as planned, noted.  -1: root could not become the user, which
 * no level forgives.
 */
int sandbox_leave(const struct sandbox_plan *, struct sandbox_report *);

/* Linux only. */
#if defined(__linux__)
/* A ruleset's descriptor, or -1; data_dir may be NULL.  *abi: 0 if none. */
int sandbox_landlock_create(const struct sandbox_plan *, const char *data_dir,
    int *abi);
int sandbox_landlock_enforce(int ruleset);

enum seccomp_role {
	SECCOMP_WORKER,
	SECCOMP_LISTENER,
	SECCOMP_BROKER,
	SECCOMP_OPENER,
	SECCOMP_ROLES
};
/*
 * Makes a role's filter, once, before limits and layers forbid it; the children
 * of a listener find theirs made.  It forks.
 */
int sandbox_seccomp_prepare(enum seccomp_role, const struct sandbox_plan *);
int sandbox_seccomp_enforce(enum seccomp_role);
#endif

#endif

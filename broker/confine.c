/*
 * The broker's sandboxes: settings into plans, and its own step inside.
 */
#include <sys/resource.h>

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/confine.h"
#include "common/lane.h"
#include "common/log.h"

/* What fan-out may have open beside clients. */
#define CONFINE_FANOUT_FDS 16
/* What the opener has open, and may open for one answer. */
#define CONFINE_OPENER_FDS 16

static const char *confine_dir(const char *path);
static void confine_limits(void);

void
confine_plan(const struct config *c, struct sandbox_plan *plan)
{
	*plan = (struct sandbox_plan)SANDBOX_PLAN_INIT;
	plan->level = (enum sandbox_level)c->sandbox;
	plan->stay = 1;
	if (geteuid() != 0) {
		/*
		 * A user namespace would lend the privilege, and hide who
		 * connects.
		 */
		if (c->chroot[0] != '\0')
			fatalx(EX_NOPERM, "setting chroot: only for root");
		return;
	}
	if (sandbox_plan_user(plan, c->user, c->group) == -1)
		fatalx(EX_NOUSER,
		    "settings user and group: there is no user %s%s%s", c->user,
		    c->group[0] == '\0' ? "" : ", or no group ", c->group);
	if (c->chroot[0] != '\0')
		plan->chroot_dir = c->chroot;
	else if (plan->level != SANDBOX_LEVEL_OFF)
		plan->chroot_dir = c->data;
}

void
confine_fanout_plan(const struct config *c, struct sandbox_plan *plan)
{
	struct rlimit files;

	confine_plan(c, plan);
	plan->stay = 0;
	plan->chroot_dir = geteuid() == 0 ? "" : NULL;
	plan->namespaces = 1;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		plan->passed_fds =
		    (unsigned int)files.rlim_max - CONFINE_FANOUT_FDS;
}

/* What is not there is missed by the broker, too, and said by it. */
void
confine_opener_plan(const struct config *c, const char *conf,
    const char *dirs[CONFINE_OPENER_DIRS + 1], struct sandbox_plan *plan)
{
	/* The configuration by its name and where that leads. */
	const char *paths[CONFINE_OPENER_DIRS] = { conf,
		conf == NULL ? NULL : realpath(conf, NULL), c->keys,
		c->oidc_jwks, c->auth };
	const char *dir;
	size_t i, n = 0;

	for (i = 0; i < CONFINE_OPENER_DIRS; i++)
		if (paths[i] != NULL && paths[i][0] != '\0' &&
		    (dir = confine_dir(paths[i])) != NULL &&
		    access(dir, F_OK) == 0)
			dirs[n++] = dir;
	dirs[n] = NULL;
	*plan = (struct sandbox_plan)SANDBOX_PLAN_INIT;
	plan->level = (enum sandbox_level)c->sandbox;
	plan->readable = dirs;
	plan->namespaces = 1;
	plan->passed_fds = CONFINE_OPENER_FDS;
	plan->flight_fds = c->fast_lane ? lane_flight_max() : 0;
}

void
confine_give(const struct sandbox_plan *plan, const char *path)
{
	if (plan->uid != (uid_t)-1 && lchown(path, plan->uid, plan->gid) == -1)
		fatal(EX_NOPERM, "%s: to the user", path);
}

void
confine(const struct config *c, const struct sandbox_plan *plan,
    struct sandbox_report *report)
{
	int r;

	confine_limits();
	if (chdir(c->data) == -1)
		fatal(EX_NOINPUT, "data %s", c->data);
	r = sandbox_broker(plan, c->data, report);
	sandbox_say(report);
	if (r == -1)
		fatalx(EX_OSERR, "no sandbox, no service");
}

/* It lives as long as the process. */
static const char *
confine_dir(const char *path)
{
	char *copy = strdup(path);

	return (copy == NULL ? NULL : dirname(copy));
}

/* Each session costs a descriptor, each open document three. */
static void
confine_limits(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	setrlimit(RLIMIT_CORE, &none);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

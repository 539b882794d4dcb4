/* The broker and its sandbox: settings into a plan, and the step inside. */
#include <sys/resource.h>

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/confine.h"
#include "common/log.h"

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

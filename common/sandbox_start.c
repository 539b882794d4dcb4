/*
 * What a program does about its sandbox at its start, beside entering it: names
 * become numbers before the files that know them are out of reach, and the log
 * is told what stands.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"

#define NAMES_MAX 128

static const char *sandbox_why(const struct sandbox_report *);

int
sandbox_plan_user(struct sandbox_plan *plan, const char *user,
    const char *group)
{
	const struct passwd *pw;
	const struct group *gr;

	if (user == NULL || user[0] == '\0')
		return (0);
	errno = 0;
	if ((pw = getpwnam(user)) == NULL)
		goto err;
	plan->uid = pw->pw_uid;
	plan->gid = pw->pw_gid;
	if (group == NULL || group[0] == '\0')
		return (0);
	errno = 0;
	if ((gr = getgrnam(group)) == NULL)
		goto err;
	plan->gid = gr->gr_gid;
	return (0);

err:
	if (errno == 0)
		errno = ENOENT;
	return (-1);
}

int
sandbox_inherited(int lowest, int kept)
{
	if (kept >= lowest) {
		if (kept != lowest && dup2(kept, lowest) == -1)
			kept = -1;
		else
			kept = lowest++;
	}
	sandbox_close_from(lowest);
	return (kept);
}

void
sandbox_say(const struct sandbox_report *report)
{
	unsigned int missing = report->wanted & ~report->standing;
	char names[NAMES_MAX], first[NAMES_MAX];

	if (missing == 0)
		log_info("sandbox: %s",
		    sandbox_names(names, sizeof(names), report->standing));
	else
		log_warnx("sandbox: without %s (%s: %s)",
		    sandbox_names(names, sizeof(names), missing),
		    sandbox_names(first, sizeof(first), report->failed),
		    sandbox_why(report));
}

static const char *
sandbox_why(const struct sandbox_report *report)
{
	if (report->failed == SANDBOX_UID && report->error == EINVAL)
		return ("started as root, told to be no other user");
	return (strerror(report->error));
}

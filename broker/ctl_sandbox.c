/*
 * quirectl sandbox: the walls of each process, tried from within.  What stops
 * an attempt is found by trying again with one layer at a time; what fails
 * without any proves nothing, and is marked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "common/log.h"
#include "common/sandbox_probe.h"
#include "broker/confine.h"
#include "broker/ctl.h"

/* Enough to show that there is a bound; a worker's comes with its settings. */
#define CTL_MEMORY_BYTES ((size_t)256 * 1024 * 1024)
#define CTL_NAMES_MAX	 128

static const struct ctl_role {
	const char *name;
	unsigned int bit;
} ctl_roles[] = {
	{ "worker", SANDBOX_WORKERS },
	{ "listener", SANDBOX_LISTENERS },
	{ "keeper", SANDBOX_LISTENERS },
	{ "broker", SANDBOX_BROKERS },
	{ "fan-out", SANDBOX_FANOUTS },
	{ "opener", SANDBOX_OPENERS },
};

#define CTL_ROLES (sizeof(ctl_roles) / sizeof(ctl_roles[0]))

static int ctl_sandbox_role(const char *name, unsigned int *role);
static int ctl_sandbox_plan(const struct ctl *, unsigned int role, char *user,
    struct sandbox_plan *);
static void ctl_sandbox_front(const struct config *, unsigned int role,
    struct sandbox_plan *);
static int ctl_sandbox_broker(struct sandbox_plan);
static int ctl_sandbox_all(const struct sandbox_who *);
static int ctl_sandbox_one(const struct sandbox_who *,
    const struct sandbox_attempt *);
static void ctl_sandbox_head(const struct sandbox_report *);
static void ctl_sandbox_print(json_t *);

static int ctl_sandbox_json; /* -j */

int
ctl_sandbox(const struct ctl *ctl, int argc, char **argv)
{
	struct sandbox_plan plan;
	struct sandbox_who who = { SANDBOX_WORKERS, &plan, NULL };
	char *user = NULL;
	int c, status;

	while ((c = getopt(argc, argv, "u:")) != -1) {
		if (c != 'u')
			return (ctl_usage(argv[0]));
		user = optarg;
	}
	if (optind < argc && ctl_sandbox_role(argv[optind], &who.role) == -1)
		return (ctl_usage(argv[0]));
	ctl_sandbox_json = ctl->as_json;
	if ((status = ctl_sandbox_plan(ctl, who.role, user, &plan)) != 0)
		return (status);
	return (who.role == SANDBOX_BROKERS ? ctl_sandbox_broker(plan)
					    : ctl_sandbox_all(&who));
}

static int
ctl_sandbox_role(const char *name, unsigned int *role)
{
	size_t i;

	for (i = 0; i < CTL_ROLES; i++)
		if (strcmp(ctl_roles[i].name, name) == 0) {
			*role = ctl_roles[i].bit;
			return (0);
		}
	return (-1);
}

/* As the configuration says, with user (NULL: its own) in place of others.  The
 * plan borrows from what stays until the program ends. */
static int
ctl_sandbox_plan(const struct ctl *ctl, unsigned int role, char *user,
    struct sandbox_plan *plan)
{
	static const char *dirs[CONFINE_OPENER_DIRS + 1];
	static char none[] = "";
	struct config *c = ctl_config(ctl), with;

	if (c == NULL)
		return (EX_CONFIG);
	with = *c;
	if (user != NULL) {
		with.user = with.worker_user = user;
		with.group = none;
	}
	if (role == SANDBOX_BROKERS)
		confine_plan(&with, plan);
	else if (role == SANDBOX_FANOUTS)
		confine_fanout_plan(&with, plan);
	else if (role == SANDBOX_OPENERS)
		confine_opener_plan(&with, ctl->conf_path, dirs, plan);
	else
		ctl_sandbox_front(&with, role, plan);
	config_free(c);
	return (0);
}

/* What quire-worker does by itself: it reads no configuration. */
static void
ctl_sandbox_front(const struct config *c, unsigned int role,
    struct sandbox_plan *plan)
{
	const char *user = c->worker_user[0] != '\0' ? c->worker_user : c->user;

	*plan = (struct sandbox_plan)SANDBOX_PLAN_INIT;
	plan->level = (enum sandbox_level)c->sandbox;
	plan->chroot_dir = "";
	plan->namespaces = 1;
	if (role == SANDBOX_WORKERS)
		plan->data_max = CTL_MEMORY_BYTES;
	else
		plan->stay = 1;
	if (geteuid() == 0 && sandbox_plan_user(plan, user, NULL) == -1)
		fatal(EX_NOUSER, "user %s", user);
}

/* In a data directory of its own: a broker may be using the real one. */
static int
ctl_sandbox_broker(struct sandbox_plan plan)
{
	char dir[] = "/tmp/quire-sandbox.XXXXXX";
	const struct sandbox_who who = { SANDBOX_BROKERS, &plan, dir };
	int status;

	if (mkdtemp(dir) == NULL) {
		log_warn("%s", dir);
		return (EX_CANTCREAT);
	}
	confine_give(&plan, dir);
	plan.stay = 0;
	if (plan.chroot_dir != NULL)
		plan.chroot_dir = dir;
	status = ctl_sandbox_all(&who);
	rmdir(dir);
	return (status);
}

/* EX_SOFTWARE: something came through. */
static int
ctl_sandbox_all(const struct sandbox_who *who)
{
	const struct sandbox_attempt *attempt;
	struct sandbox_outcome out;
	int r, status = 0;
	size_t i;

	if (sandbox_probe(who, sandbox_attempt_at(0), &out) == -1) {
		log_warn("sandbox: a part that is required");
		return (EX_OSERR);
	}
	ctl_sandbox_head(&out.report);
	for (i = 0; (attempt = sandbox_attempt_at(i)) != NULL; i++) {
		if ((attempt->roles & who->role) == 0)
			continue;
		r = ctl_sandbox_one(who, attempt);
		status = r > status ? r : status;
	}
	return (status);
}

static void
ctl_sandbox_head(const struct sandbox_report *report)
{
	unsigned int missing = report->wanted & ~report->standing;
	char names[CTL_NAMES_MAX], none[CTL_NAMES_MAX];

	if (ctl_sandbox_json) {
		ctl_sandbox_print(json_pack("{s:s,s:s}", "standing",
		    sandbox_names(names, sizeof(names), report->standing),
		    "missing", sandbox_names(none, sizeof(none), missing)));
		return;
	}
	printf("standing: %s\n",
	    sandbox_names(names, sizeof(names), report->standing));
	printf("missing: %s\n", sandbox_names(names, sizeof(names), missing));
	printf("%-16s%-28s%s\n", "attempt", "outcome",
	    "stopped by, each alone");
}

static int
ctl_sandbox_one(const struct sandbox_who *who,
    const struct sandbox_attempt *attempt)
{
	struct sandbox_outcome out, bare;
	char text[CTL_NAMES_MAX], names[CTL_NAMES_MAX] = "-";
	unsigned int alone;

	/* What is printed so far would be printed by the child too. */
	fflush(stdout);
	if (sandbox_probe(who, attempt, &out) == -1 ||
	    sandbox_probe_bare(attempt, &bare) == -1) {
		log_warn("%s", attempt->name);
		return (EX_OSERR);
	}
	sandbox_outcome_text(text, sizeof(text), &out);
	alone = bare.allowed
	    ? sandbox_probe_alone(who, attempt, out.report.standing)
	    : 0;
	if (alone != 0)
		sandbox_names(names, sizeof(names), alone);
	else if (!bare.allowed)
		snprintf(names, sizeof(names), "fails without a sandbox: %s",
		    strerror(bare.error));
	if (ctl_sandbox_json)
		ctl_sandbox_print(json_pack("{s:s,s:s,s:b,s:s}", "attempt",
		    attempt->name, "outcome", text, "stopped", !out.allowed,
		    "alone", names));
	else
		printf("%-16s%-28s%s\n", attempt->name, text, names);
	return (out.allowed ? EX_SOFTWARE : 0);
}

static void
ctl_sandbox_print(json_t *object)
{
	if (json_dumpf(object, stdout, JSON_COMPACT) == 0)
		putchar('\n');
	json_decref(object);
}

/*
 * quirectl sandbox: the walls of a worker or of the broker, tried from within.
 * What stops an attempt is found by trying again with one layer at a time; what
 * fails without any proves nothing, and is marked.
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

static int ctl_sandbox_plan(const struct config *, unsigned int role,
    const char *user, struct sandbox_plan *);
static int ctl_sandbox_all(const struct sandbox_plan *, const char *data_dir,
    unsigned int role);
static int ctl_sandbox_one(const struct sandbox_plan *, const char *data_dir,
    const struct sandbox_attempt *);
static void ctl_sandbox_head(const struct sandbox_report *);
static void ctl_sandbox_print(json_t *);

static int ctl_sandbox_json; /* -j */

int
ctl_sandbox(const struct ctl *ctl, int argc, char **argv)
{
	char dir[] = "/tmp/quire-sandbox.XXXXXX";
	struct config *config;
	struct sandbox_plan plan;
	const char *user = NULL;
	unsigned int role;
	int c, status;

	while ((c = getopt(argc, argv, "u:")) != -1) {
		if (c != 'u')
			return (ctl_usage(argv[0]));
		user = optarg;
	}
	if (optind == argc || strcmp(argv[optind], "worker") == 0)
		role = SANDBOX_WORKERS;
	else if (strcmp(argv[optind], "broker") == 0)
		role = SANDBOX_BROKERS;
	else
		return (ctl_usage(argv[0]));
	ctl_sandbox_json = ctl->as_json;
	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	status = ctl_sandbox_plan(config, role, user, &plan);
	config_free(config);
	if (status != 0 || role == SANDBOX_WORKERS)
		return (
		    status != 0 ? status : ctl_sandbox_all(&plan, NULL, role));
	/* Not the real one, which a broker may be using. */
	if (mkdtemp(dir) == NULL) {
		log_warn("%s", dir);
		return (EX_CANTCREAT);
	}
	confine_give(&plan, dir);
	if (plan.chroot_dir != NULL)
		plan.chroot_dir = dir;
	status = ctl_sandbox_all(&plan, dir, role);
	rmdir(dir);
	return (status);
}

static int
ctl_sandbox_plan(const struct config *c, unsigned int role, const char *user,
    struct sandbox_plan *plan)
{
	if (role == SANDBOX_BROKERS && user == NULL) {
		confine_plan(c, plan);
		plan->stay = 0;
		return (0);
	}
	*plan = (struct sandbox_plan)SANDBOX_PLAN_INIT;
	plan->level = (enum sandbox_level)c->sandbox;
	if (role == SANDBOX_WORKERS) {
		plan->chroot_dir = "";
		plan->namespaces = 1;
		plan->data_max = CTL_MEMORY_BYTES;
	} else if (geteuid() == 0)
		plan->chroot_dir = c->data;
	if (user == NULL)
		user = c->worker_user[0] != '\0' ? c->worker_user : c->user;
	if (geteuid() != 0 || sandbox_plan_user(plan, user, NULL) == 0)
		return (0);
	log_warn("user %s", user);
	return (EX_NOUSER);
}

/* EX_SOFTWARE: something came through. */
static int
ctl_sandbox_all(const struct sandbox_plan *plan, const char *data_dir,
    unsigned int role)
{
	const struct sandbox_attempt *attempt;
	struct sandbox_outcome out;
	int r, status = 0;
	size_t i;

	if (sandbox_probe(plan, data_dir, sandbox_attempt_at(0), &out) == -1) {
		log_warn("sandbox: a part that is required");
		return (EX_OSERR);
	}
	ctl_sandbox_head(&out.report);
	for (i = 0; (attempt = sandbox_attempt_at(i)) != NULL; i++) {
		if ((attempt->roles & role) == 0)
			continue;
		r = ctl_sandbox_one(plan, data_dir, attempt);
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
ctl_sandbox_one(const struct sandbox_plan *plan, const char *data_dir,
    const struct sandbox_attempt *attempt)
{
	struct sandbox_outcome out, bare;
	char text[CTL_NAMES_MAX], names[CTL_NAMES_MAX] = "-";
	unsigned int alone;

	/* What is printed so far would be printed by the child too. */
	fflush(stdout);
	if (sandbox_probe(plan, data_dir, attempt, &out) == -1 ||
	    sandbox_probe_bare(attempt, &bare) == -1) {
		log_warn("%s", attempt->name);
		return (EX_OSERR);
	}
	sandbox_outcome_text(text, sizeof(text), &out);
	alone = bare.allowed
	    ? sandbox_probe_alone(plan, data_dir, attempt, out.report.standing)
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

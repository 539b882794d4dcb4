/*
 * quirectl: keys and tokens, a small client, and what the broker says of
 * itself.  Here are the commands' names and what they share; what each does is
 * in the other files that begin with ctl_.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_json.h"

/* Of a command with -j of its own. */
#define CTL_WORDS_MAX 16

/* Of a job: a store, and words in pairs. */
#define JOB "store result %|store %"

const struct ctl_command ctl_commands[] = {
	{ "keygen", "[-e] [-K kid] keyfile", 1, ctl_keygen, CTL_JSON_NOTHING },
	{ "pubkey", "keyfile", 1, ctl_pubkey, "kid alg key" },
	{ "keys list", "[-j] [-k keyfile]", 0, ctl_keys_list, CTL_JSON_OPTION },
	{ "keys add", "[-e] [-k keyfile] kid", 1, ctl_keys_add,
	    CTL_JSON_NOTHING },
	{ "keys retire", "[-k keyfile] kid", 1, ctl_keys_retire,
	    CTL_JSON_NOTHING },
	{ "token mint",
	    "[-k keyfile] [-K kid] -s subject -a store ... -S scope\n"
	    "\t[-t ttl] [-i issuer] [-j jti] [-x json]",
	    6, ctl_token, "token" },
	{ "token static", "-s subject -a store ... -S scope", 6,
	    ctl_token_static, "token|hash scope subject *stores" },
	{ "token inspect", "[-j] [-k keyfile] [file]", 0, ctl_token_inspect,
	    CTL_JSON_OPTION },
	{ "token revoke",
	    "[-d] [-b time] [-t ttl] jti text | subject text | all", 1,
	    ctl_token_revoke, "ended" },
	{ "token revocations", "[-j]", 0, ctl_token_revocations,
	    CTL_JSON_OPTION },
	{ "listen", "url", 1, ctl_listen, "kind *text|kind" },
	{ "send", "url text | -x url", 2, ctl_send, CTL_JSON_NOTHING },
	{ "status", "[-j]", 0, ctl_status, CTL_JSON_OPTION },
	{ "stores", "[-j] [store]", 0, ctl_stores, CTL_JSON_OPTION },
	{ "metrics", "[-j]", 0, ctl_status, CTL_JSON_OPTION },
	{ "connections", "[-j]", 0, ctl_connections, CTL_JSON_OPTION },
	{ "kick", "id number | subject text | store store | address text", 2,
	    ctl_kick, "ended" },
	{ "reload", "[-k keyfile]", 0, ctl_reload, "name value" },
	{ "log-level", "[error | warn | info | debug]", 0, ctl_log_level,
	    "level" },
	{ "trace", "[-m message,...] [-s session]", 0, ctl_trace,
	    "time - session direction message =" },
	{ "top", "[-n times]", 0, ctl_top, CTL_JSON_SELF },
	{ "backup", "dir", 1, ctl_backup, JOB },
	{ "restore", "dir [store]", 1, ctl_restore, JOB },
	{ "export", "-c room | store file", 2, ctl_export, CTL_JSON_NOTHING },
	{ "import", "-c room file | [-f] store file", 2, ctl_import, JOB },
	{ "delete", "[-y] store", 1, ctl_delete, JOB },
	{ "quarantine", "[-c | -r] store", 1, ctl_quarantine, JOB },
	{ "compact", "[store]", 0, ctl_compact, JOB },
	{ "verify", "[-d dir] [store]", 0, ctl_verify, JOB },
	{ "sandbox", "[-u user] [role]", 0, ctl_sandbox, CTL_JSON_SELF },
	{ "completion", "bash | zsh | fish", 1, ctl_completion,
	    CTL_JSON_NOTHING },
};

const size_t ctl_command_count = sizeof(ctl_commands) / sizeof(ctl_commands[0]);

static const struct ctl_command *ctl_command_find(int, char **);
static int ctl_usage_all(void);
static int ctl_as_json(const struct ctl_command *, const struct ctl *, int argc,
    char **argv);

int
main(int argc, char **argv)
{
	const struct ctl_command *command;
	struct ctl ctl = { NULL, 0 };
	static char name[32];
	int c;

	log_init("quirectl", LOG_TO_STDERR, LOG_LEVEL_WARN);
	while ((c = getopt(argc, argv, "+f:jV")) != -1) {
		if (c == 'V') {
			puts("quirectl " QUIRE_VERSION);
			return (0);
		}
		if (c != 'f' && c != 'j')
			return (ctl_usage_all());
		if (c == 'f')
			ctl.conf_path = optarg;
		else
			ctl.as_json = 1;
	}
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return (ctl_usage_all());
	if ((command = ctl_command_find(argc, argv)) == NULL) {
		ctl_usage_all();
		log_warnx("%s: there is no such command", argv[0]);
		return (EX_USAGE);
	}
	if (argc > 1 && strchr(command->name, ' ') != NULL &&
	    argv[1][0] != '-') {
		argc--;
		argv++;
	}
	/* What ctl_usage finds it by. */
	snprintf(name, sizeof(name), "%s", command->name);
	argv[0] = name;
	if (argc - 1 < command->words)
		return (ctl_usage(argv[0]));
	optind = 1;
	return (ctl.as_json ? ctl_as_json(command, &ctl, argc, argv)
			    : command->run(&ctl, argc, argv));
}

static int
ctl_as_json(const struct ctl_command *command, const struct ctl *ctl, int argc,
    char **argv)
{
	static char option[] = CTL_JSON_OPTION;
	char *words[CTL_WORDS_MAX + 1];

	if (command->json == CTL_JSON_NOTHING ||
	    strcmp(command->json, CTL_JSON_SELF) == 0)
		return (command->run(ctl, argc, argv));
	if (strcmp(command->json, CTL_JSON_OPTION) != 0)
		return (
		    ctl_json_run(command->json, command->run, ctl, argc, argv));
	if (argc >= CTL_WORDS_MAX)
		return (ctl_usage(argv[0]));
	words[0] = argv[0];
	words[1] = option;
	memcpy(words + 2, argv + 1, (size_t)argc * sizeof(*argv));
	return (command->run(ctl, argc + 1, words));
}

int
ctl_usage(const char *name)
{
	size_t i;

	for (i = 0; i < ctl_command_count; i++)
		if (strcmp(ctl_commands[i].name, name) == 0)
			fprintf(stderr,
			    "usage: quirectl [-j] [-f conf] %s %s\n", name,
			    ctl_commands[i].args);
	return (EX_USAGE);
}

struct config *
ctl_config(const struct ctl *ctl)
{
	const char *path = ctl->conf_path;
	struct config *config;

	if (path == NULL && access(CONFIG_PATH, F_OK) == 0)
		path = CONFIG_PATH;
	return (config_load(path, &config) == -1 ? NULL : config);
}

int
ctl_exit_errno(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
		return (EX_NOPERM);
	case ENOENT:
	case ENOTDIR:
		return (EX_NOINPUT);
	case EINVAL:
		return (EX_DATAERR);
	default:
		return (EX_IOERR);
	}
}

/* A name may be two words; `token -s ...' is `token mint -s ...'. */
static const struct ctl_command *
ctl_command_find(int argc, char **argv)
{
	const char *second = argc > 1 ? argv[1] : "";
	size_t i, n = strlen(argv[0]);
	const char *rest;

	if (strcmp(argv[0], "token") == 0 && second[0] == '-')
		second = "mint";
	for (i = 0; i < ctl_command_count; i++) {
		if (strncmp(ctl_commands[i].name, argv[0], n) != 0)
			continue;
		rest = ctl_commands[i].name + n;
		if (*rest == '\0' ||
		    (*rest == ' ' && strcmp(rest + 1, second) == 0))
			return (&ctl_commands[i]);
	}
	return (NULL);
}

static int
ctl_usage_all(void)
{
	size_t i;

	fputs("usage: quirectl -V\n", stderr);
	for (i = 0; i < ctl_command_count; i++)
		fprintf(stderr, "       quirectl [-j] [-f conf] %s %s\n",
		    ctl_commands[i].name, ctl_commands[i].args);
	return (EX_USAGE);
}

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

const struct ctl_command ctl_commands[] = {
	{ "keygen", "[-e] [-K kid] keyfile", 1, ctl_keygen },
	{ "pubkey", "keyfile", 1, ctl_pubkey },
	{ "keys list", "[-j] [-k keyfile]", 0, ctl_keys_list },
	{ "keys add", "[-e] [-k keyfile] kid", 1, ctl_keys_add },
	{ "keys retire", "[-k keyfile] kid", 1, ctl_keys_retire },
	{ "token mint",
	    "[-k keyfile] [-K kid] -s subject -a store ... -S scope\n"
	    "\t[-t ttl] [-i issuer] [-j jti] [-x json]",
	    6, ctl_token },
	{ "token static", "-s subject -a store ... -S scope", 6,
	    ctl_token_static },
	{ "token inspect", "[-j] [-k keyfile] [file]", 0, ctl_token_inspect },
	{ "token revoke",
	    "[-d] [-b time] [-t ttl] jti text | subject text | all", 1,
	    ctl_token_revoke },
	{ "token revocations", "[-j]", 0, ctl_token_revocations },
	{ "listen", "url", 1, ctl_listen },
	{ "send", "url text", 2, ctl_send },
	{ "status", "[-j]", 0, ctl_status },
	{ "stores", "[-j]", 0, ctl_stores },
	{ "metrics", "[-j]", 0, ctl_status },
	{ "connections", "[-j]", 0, ctl_connections },
	{ "kick", "id number | subject text | store store | address text", 2,
	    ctl_kick },
	{ "reload", "[-k keyfile]", 0, ctl_reload },
	{ "log-level", "[error | warn | info | debug]", 0, ctl_log_level },
	{ "trace", "[-m message,...] [-s session]", 0, ctl_trace },
	{ "top", "[-n times]", 0, ctl_top },
	{ "backup", "dir", 1, ctl_backup },
	{ "restore", "dir [store]", 1, ctl_restore },
	{ "export", "-c room | store file", 2, ctl_export },
	{ "import", "-c room file | [-f] store file", 2, ctl_import },
	{ "delete", "store", 1, ctl_delete },
	{ "quarantine", "[-c | -r] store", 1, ctl_quarantine },
	{ "compact", "[store]", 0, ctl_compact },
	{ "verify", "[-d dir] [store]", 0, ctl_verify },
	{ "sandbox", "[-u user] [worker | broker]", 0, ctl_sandbox },
	{ "completion", "bash | zsh | fish", 1, ctl_completion },
};

const size_t ctl_command_count = sizeof(ctl_commands) / sizeof(ctl_commands[0]);

static const struct ctl_command *ctl_command_find(int, char **);
static int ctl_usage_all(void);

int
main(int argc, char **argv)
{
	const struct ctl_command *command;
	struct ctl ctl = { NULL };
	static char name[32];
	int c;

	log_init("quirectl", LOG_TO_STDERR, LOG_LEVEL_WARN);
	while ((c = getopt(argc, argv, "+f:V")) != -1) {
		if (c == 'V') {
			puts("quirectl " QUIRE_VERSION);
			return (0);
		}
		if (c != 'f')
			return (ctl_usage_all());
		ctl.conf_path = optarg;
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
	return (command->run(&ctl, argc, argv));
}

int
ctl_usage(const char *name)
{
	size_t i;

	for (i = 0; i < ctl_command_count; i++)
		if (strcmp(ctl_commands[i].name, name) == 0)
			fprintf(stderr, "usage: quirectl [-f conf] %s %s\n",
			    name, ctl_commands[i].args);
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
		fprintf(stderr, "       quirectl [-f conf] %s %s\n",
		    ctl_commands[i].name, ctl_commands[i].args);
	return (EX_USAGE);
}

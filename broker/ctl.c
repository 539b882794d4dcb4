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

static const struct ctl_command {
	const char *name;
	const char *args;
	int words; /* that must follow the name, options included */
	ctl_run_fn *run;
} ctl_commands[] = {
	{ "keygen", "[-e] [-K kid] keyfile", 1, ctl_keygen },
	{ "pubkey", "keyfile", 1, ctl_pubkey },
	{ "token",
	    "[-k keyfile] [-K kid] -s subject -a store ... -S scope\n"
	    "\t[-t ttl] [-i issuer] [-x json]",
	    6, ctl_token },
	{ "listen", "url", 1, ctl_listen },
	{ "send", "url text", 2, ctl_send },
	{ "status", "[-j]", 0, ctl_status },
	{ "stores", "[-j]", 0, ctl_stores },
	{ "connections", "[-j]", 0, ctl_connections },
	{ "kick", "id number | subject text | store store | address text", 2,
	    ctl_kick },
	{ "backup", "dir", 1, ctl_backup },
	{ "restore", "dir [store]", 1, ctl_restore },
	{ "export", "-c room | store file", 2, ctl_export },
	{ "import", "-c room file | [-f] store file", 2, ctl_import },
	{ "delete", "store", 1, ctl_delete },
	{ "quarantine", "[-c | -r] store", 1, ctl_quarantine },
	{ "compact", "[store]", 0, ctl_compact },
	{ "verify", "[-d dir] [store]", 0, ctl_verify },
	{ "sandbox", "[-u user] [worker | broker]", 0, ctl_sandbox },
};

#define CTL_COMMANDS (sizeof(ctl_commands) / sizeof(ctl_commands[0]))

static const struct ctl_command *ctl_command_find(const char *);
static int ctl_usage_all(void);

int
main(int argc, char **argv)
{
	const struct ctl_command *command;
	struct ctl ctl = { NULL };
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
	if (argc == 0 || (command = ctl_command_find(argv[0])) == NULL)
		return (ctl_usage_all());
	if (argc - 1 < command->words)
		return (ctl_usage(command->name));
	optind = 1;
	return (command->run(&ctl, argc, argv));
}

int
ctl_usage(const char *name)
{
	const struct ctl_command *command = ctl_command_find(name);

	fprintf(stderr, "usage: quirectl [-f conf] %s %s\n", command->name,
	    command->args);
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

static const struct ctl_command *
ctl_command_find(const char *name)
{
	size_t i;

	for (i = 0; i < CTL_COMMANDS; i++)
		if (strcmp(ctl_commands[i].name, name) == 0)
			return (&ctl_commands[i]);
	return (NULL);
}

static int
ctl_usage_all(void)
{
	size_t i;

	fputs("usage: quirectl -V\n", stderr);
	for (i = 0; i < CTL_COMMANDS; i++)
		fprintf(stderr, "       quirectl [-f conf] %s %s\n",
		    ctl_commands[i].name, ctl_commands[i].args);
	return (EX_USAGE);
}

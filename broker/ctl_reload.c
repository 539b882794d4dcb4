/*
 * quirectl reload: opens what the broker cannot, and passes it.  The files are
 * read here first, so that what is wrong with them is said on this terminal.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/reload_files.h"

static int reload_valid(const char *keys, const struct config *);
static int reload_open(struct reload_files *, const char *conf,
    const char *keys, const struct config *);
static int reload_send(const struct reload_files *, const char *control);

int
ctl_reload(const struct ctl *ctl, int argc, char **argv)
{
	struct reload_files files;
	const char *keys = NULL, *conf = ctl->conf_path;
	struct config *config;
	int c, status;

	while ((c = getopt(argc, argv, "+k:")) != -1) {
		if (c != 'k')
			return (ctl_usage(argv[0]));
		keys = optarg;
	}
	if (argc != optind)
		return (ctl_usage(argv[0]));
	if (conf == NULL && access(CONFIG_PATH, F_OK) == 0)
		conf = CONFIG_PATH;
	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	if (keys == NULL)
		keys = config->keys;
	if ((status = reload_valid(keys, config)) == 0 &&
	    (status = reload_open(&files, conf, keys, config)) == 0) {
		status = reload_send(&files, config->control);
		reload_files_close(&files);
	}
	config_free(config);
	return (status);
}

static int
reload_valid(const char *keys, const struct config *config)
{
	struct keyring *ring;
	const char *jwks = config->oidc_jwks, *auth = config->auth;
	struct statics *statics;
	struct jwks *set;

	if ((ring = keyring_load(keys)) == NULL)
		return (ctl_exit_errno(errno));
	keyring_free(ring);
	if (*jwks != '\0') {
		if ((set = jwks_load(jwks)) == NULL)
			return (ctl_exit_errno(errno));
		jwks_free(set);
	}
	if (*auth != '\0') {
		if ((statics = statics_load(auth)) == NULL)
			return (ctl_exit_errno(errno));
		statics_free(statics);
	}
	return (0);
}

static int
reload_open(struct reload_files *files, const char *conf, const char *keys,
    const struct config *config)
{
	int fd = -1, error;

	if (conf != NULL && (fd = open(conf, O_RDONLY | O_CLOEXEC)) == -1) {
		error = errno;
		log_warn("%s", conf);
		return (ctl_exit_errno(error));
	}
	if (reload_files_open(files, fd, keys, config) != NULL)
		return (ctl_exit_errno(errno));
	return (0);
}

static int
reload_send(const struct reload_files *files, const char *control)
{
	char words[RELOAD_WORDS_SIZE], answer[8] = "";
	int fd;

	if ((fd = ctl_connect(control, 0)) == -1)
		return (ctl_connect_failed(control, errno));
	/* It waits for them, so that none comes too early. */
	if (dprintf(fd, "reload %s\n", reload_files_name(files, words)) < 0 ||
	    recv(fd, answer, 5, MSG_PEEK | MSG_WAITALL) == -1)
		goto failed;
	if (memcmp(answer, "send\n", 5) == 0 &&
	    (recv(fd, answer, 5, MSG_WAITALL) != 5 ||
		reload_files_pass(fd, files) == -1))
		goto failed;
	return (ctl_job_listen(fd));

failed:
	close(fd);
	return (ctl_connect_failed(control, errno));
}

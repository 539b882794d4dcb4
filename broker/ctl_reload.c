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
#include "broker/jwks.h"
#include "broker/keyring.h"
#include "broker/statics.h"

enum { CTL_CONF, CTL_KEYS, CTL_JWKS, CTL_AUTH, CTL_FILES };

/* The files, their words on the socket, and how many there are. */
struct ctl_files {
	char line[32];
	int fds[CTL_FILES];
	size_t n;
};

static int reload_open(struct ctl_files *, const char *conf, const char *keys,
    const struct config *);
static int reload_add(struct ctl_files *, const char *word, int fd);
static int reload_send(struct ctl_files *, const char *control);
static int reload_pass(int fd, const struct ctl_files *);

int
ctl_reload(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_files files = { .line = "reload" };
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
	status = reload_open(&files, conf, keys != NULL ? keys : config->keys,
	    config);
	if (status == 0)
		status = reload_send(&files, config->control);
	while (files.n > 0)
		close(files.fds[--files.n]);
	config_free(config);
	return (status);
}

static int
reload_open(struct ctl_files *files, const char *conf, const char *keys,
    const struct config *config)
{
	struct keyring *ring;
	const char *jwks = config->oidc_jwks, *auth = config->auth;
	struct statics *statics;
	struct jwks *set;
	int error;

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
	if ((conf == NULL ||
		reload_add(files, "conf", open(conf, O_RDONLY | O_CLOEXEC)) ==
		    0) &&
	    reload_add(files, "keys", keyring_open(keys)) == 0 &&
	    (*jwks == '\0' ||
		reload_add(files, "jwks", keyring_open(jwks)) == 0) &&
	    (*auth == '\0' ||
		reload_add(files, "auth", keyring_open(auth)) == 0))
		return (0);
	error = errno;
	log_warn("files");
	return (ctl_exit_errno(error));
}

static int
reload_add(struct ctl_files *files, const char *word, int fd)
{
	size_t n = strlen(files->line);

	if (fd == -1)
		return (-1);
	snprintf(files->line + n, sizeof(files->line) - n, " %s", word);
	files->fds[files->n++] = fd;
	return (0);
}

static int
reload_send(struct ctl_files *files, const char *control)
{
	char answer[8] = "";
	int fd;

	if ((fd = ctl_connect(control, 0)) == -1)
		return (ctl_connect_failed(control, errno));
	/* It waits for them, so that none comes too early. */
	if (dprintf(fd, "%s\n", files->line) < 0 ||
	    recv(fd, answer, 5, MSG_PEEK | MSG_WAITALL) == -1)
		goto failed;
	if (memcmp(answer, "send\n", 5) == 0 &&
	    (recv(fd, answer, 5, MSG_WAITALL) != 5 ||
		reload_pass(fd, files) == -1))
		goto failed;
	return (ctl_job_listen(fd));

failed:
	close(fd);
	return (ctl_connect_failed(control, errno));
}

static int
reload_pass(int fd, const struct ctl_files *files)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * CTL_FILES)];
	} control = { .space = { 0 } };
	char octet = '\n';
	struct iovec iov = { .iov_base = &octet, .iov_len = 1 };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen =
		    (socklen_t)CMSG_SPACE(sizeof(int) * files->n) };
	struct cmsghdr *h = &control.align;

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * files->n);
	memcpy(CMSG_DATA(h), files->fds, sizeof(int) * files->n);
	return (sendmsg(fd, &mh, MSG_NOSIGNAL) == 1 ? 0 : -1);
}

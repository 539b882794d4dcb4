/*
 * The process that opens what the broker cannot: no stranger's bytes, no
 * network, no file to write, and nothing to read but beneath the directories
 * that it was started with.  It stays in the working directory of the start,
 * where the name after -f may begin.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/confine.h"
#include "broker/opener.h"
#include "broker/reload_files.h"
#include "common/log.h"

static void opener_confine(const struct config *, const char *conf);
static int opener_answer(int fd, const struct opener_source *);
static int opener_say(int fd, const char *line);
static int opener_open(const struct opener_source *, struct reload_files *,
    char *line);
static int opener_failed(char *line, const char *path);
static conf_report_fn opener_report;

/* Within, it logs nothing of its own: it answers, and the broker logs that. */
int
opener_run(int fd, const struct opener_source *start)
{
	char octet;

	fd = sandbox_inherited(STDERR_FILENO + 1, fd);
	opener_confine(start->config, start->conf);
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_ERROR);
	while (recv(fd, &octet, sizeof(octet), 0) == 1)
		if (opener_answer(fd, start) == -1)
			return (EX_OSERR);
	return (0);
}

static void
opener_confine(const struct config *c, const char *conf)
{
	const char *dirs[CONFINE_OPENER_DIRS + 1];
	struct sandbox_report report;
	struct sandbox_plan plan;

	confine_opener_plan(c, conf, dirs, &plan);
	if (sandbox_opener(&plan, &report) == -1)
		fatalx(EX_OSERR, "opener: no sandbox, no service");
}

/* 0, or -1: the broker is gone. */
static int
opener_answer(int fd, const struct opener_source *start)
{
	char line[OPENER_LINE_SIZE];
	struct reload_files files;
	int r = -1;

	if (opener_open(start, &files, line) == -1)
		return (opener_say(fd, line));
	if (opener_say(fd, reload_files_name(&files, line)) == 0)
		r = reload_files_pass(fd, &files);
	reload_files_close(&files);
	return (r);
}

static int
opener_say(int fd, const char *line)
{
	return (send(fd, line, strlen(line), MSG_NOSIGNAL) == -1 ? -1 : 0);
}

/* 0, or -1 and why in the line. */
static int
opener_open(const struct opener_source *start, struct reload_files *files,
    char *line)
{
	struct config_source from = { start->conf, -1, start->defines,
		start->ndefines };
	const char *wrong;
	struct config *config;

	/* NONBLOCK: as keyring_open has it. */
	if (start->conf != NULL &&
	    (from.fd = open(start->conf, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) ==
		-1)
		return (opener_failed(line, start->conf));
	snprintf(line, OPENER_LINE_SIZE, "no memory");
	if (config_load_from(&from, opener_report, line, &config) == -1) {
		if (from.fd != -1)
			close(from.fd);
		return (-1);
	}
	/* The broker reads the same from its beginning. */
	if (from.fd != -1)
		(void)lseek(from.fd, 0, SEEK_SET);
	wrong = reload_files_open(files, from.fd, NULL, config);
	if (wrong != NULL)
		(void)opener_failed(line, wrong);
	config_free(config);
	return (wrong == NULL ? 0 : -1);
}

static int
opener_failed(char *line, const char *path)
{
	snprintf(line, OPENER_LINE_SIZE, "%s: %s", path, strerror(errno));
	return (-1);
}

/* The last of several errors; quired -n tells all. */
static void
opener_report(void *line, const char *text)
{
	snprintf(line, OPENER_LINE_SIZE, "%s", text);
}

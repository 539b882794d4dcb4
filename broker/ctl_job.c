/*
 * Long work that the broker does for quirectl: one line out, and what it has to
 * say as it comes.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"

static int ctl_job_line(const char *, int *status);

int
ctl_compact(const struct ctl *ctl, int argc, char **argv)
{
	if (argc > 2)
		return (ctl_usage(argv[0]));
	return (ctl_job(ctl, argv[0], argc == 2 ? argv[1] : ""));
}

int
ctl_quarantine(const struct ctl *ctl, int argc, char **argv)
{
	const char *how = "";
	char *words;
	int c, status;

	while ((c = getopt(argc, argv, "cr")) != -1) {
		if ((c != 'c' && c != 'r') || how[0] != '\0')
			return (ctl_usage(argv[0]));
		how = c == 'c' ? "-c " : "-r ";
	}
	if (argc - optind != 1)
		return (ctl_usage(argv[0]));
	if (asprintf(&words, "%s%s", how, argv[optind]) == -1)
		return (EX_OSERR);
	status = ctl_job(ctl, argv[0], words);
	free(words);
	return (status);
}

int
ctl_job(const struct ctl *ctl, const char *command, const char *words)
{
	int fd = ctl_dial(ctl, command, words);

	return (fd < 0 ? -fd : ctl_job_listen(fd));
}

int
ctl_job_listen(int fd)
{
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	int status = EX_IOERR, end = 0;

	if (in == NULL) {
		close(fd);
		return (EX_OSERR);
	}
	while (!end && getline(&line, &size, in) != -1)
		end = ctl_job_line(line, &status);
	if (!end)
		log_warnx("the broker went away");
	if (fflush(stdout) == EOF) {
		log_warn("standard output");
		status = EX_IOERR;
	}
	free(line);
	fclose(in);
	return (status);
}

/* 1: it was the last one. */
static int
ctl_job_line(const char *line, int *status)
{
	if (strcmp(line, "done\n") == 0) {
		*status = 0;
		return (1);
	}
	if (strncmp(line, "error ", 6) == 0) {
		log_warnx("broker: %.*s", (int)strcspn(line + 6, "\n"),
		    line + 6);
		*status = EX_DATAERR;
		return (1);
	}
	fputs(line, stdout);
	return (0);
}

/*
 * The command runs in a process of its own, whose standard output is a pipe:
 * none of them knows of it, and what takes long is told as it comes.
 */
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "common/log.h"
#include "broker/ctl_answer.h"
#include "broker/ctl_json.h"

static int json_lines(int fd, const char *shape);
static int json_line(const char *shape, struct bytes line);
static json_t *json_shaped(struct bytes names, struct bytes line);
static int json_rest(json_t *, int how, struct bytes);
static int json_put(json_t *, struct bytes name, json_t *value);
static int json_status(pid_t);

int
ctl_json_run(const char *shape, ctl_run_fn *run, const struct ctl *ctl,
    int argc, char **argv)
{
	int ends[2], status;
	pid_t pid;

	if (pipe(ends) == -1 || (pid = fork()) == -1) {
		log_warn("-j");
		return (EX_OSERR);
	}
	if (pid == 0) {
		close(ends[0]);
		if (dup2(ends[1], STDOUT_FILENO) == -1)
			exit(EX_OSERR);
		close(ends[1]);
		setvbuf(stdout, NULL, _IOLBF, 0);
		exit(run(ctl, argc, argv));
	}
	close(ends[1]);
	status = json_lines(ends[0], shape);
	return (status != 0 ? status : json_status(pid));
}

static int
json_lines(int fd, const char *shape)
{
	FILE *in = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int status = 0;

	if (in == NULL)
		return (EX_OSERR);
	while (status == 0 && (n = getline(&line, &size, in)) > 0) {
		n -= line[n - 1] == '\n';
		status = json_line(shape,
		    bytes_of((const uint8_t *)line, (size_t)n));
	}
	free(line);
	fclose(in);
	return (status);
}

static int
json_line(const char *shape, struct bytes line)
{
	struct bytes shapes = bytes_str(shape);
	json_t *object = NULL;
	int status = 0;

	while (object == NULL && shapes.n > 0)
		object = json_shaped(ctl_word(&shapes, '|'), line);
	if (object == NULL && (object = json_object()) != NULL)
		json_put(object, BYTES_LIT("text"), ctl_name(line));
	if (object == NULL)
		return (EX_OSERR);
	if (json_dumpf(object, stdout, JSON_COMPACT) == -1 ||
	    putchar('\n') == EOF || fflush(stdout) == EOF) {
		log_warn("standard output");
		status = EX_IOERR;
	}
	json_decref(object);
	return (status);
}

/* NULL: the line is of another shape. */
static json_t *
json_shaped(struct bytes names, struct bytes line)
{
	struct bytes name, word;
	json_t *object = json_object();
	int bad = object == NULL;

	while (!bad && names.n > 0) {
		name = ctl_word(&names, ' ');
		if (name.p[0] == '%' || name.p[0] == '=') {
			bad = json_rest(object, name.p[0], line);
			line = BYTES_NONE;
		} else if (name.p[0] == '*') {
			bad = json_put(object, bytes_skip(name, 1),
			    ctl_name(line));
			line = BYTES_NONE;
		} else if ((word = ctl_word(&line, ' ')).n == 0) {
			bad = -1;
		} else if (name.p[0] != '-') {
			bad = json_put(object, name, ctl_value(word));
		}
	}
	if (!bad && line.n == 0)
		return (object);
	json_decref(object);
	return (NULL);
}

static int
json_rest(json_t *object, int how, struct bytes line)
{
	struct bytes name, value;

	while (line.n > 0) {
		value = ctl_word(&line, ' ');
		if (how == '=')
			name = ctl_word(&value, '=');
		else {
			name = value;
			value = ctl_word(&line, ' ');
		}
		if (name.n == 0 || value.n == 0 ||
		    json_put(object, name, ctl_value(value)) == -1)
			return (-1);
	}
	return (0);
}

static int
json_put(json_t *object, struct bytes name, json_t *value)
{
	return (
	    json_object_setn_new(object, (const char *)name.p, name.n, value));
}

static int
json_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return (EX_OSERR);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

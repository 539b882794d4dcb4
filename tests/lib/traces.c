/* The memory of processes is searched for pieces of a token. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base64url.h"
#include "common/limits.h"
#include "common/log.h"
#include "tests/lib/asleep.h"
#include "tests/lib/traces.h"

#define TRACES_OCTETS 24 /* of a token are a trace of it */
#define TRACES_PIECES 4

struct traces {
	struct bytes piece[TRACES_PIECES];
	uint8_t mac[64];
};

static void traces_pieces(struct traces *, const char *token);
static int traces_process(const struct traces *, long pid);
static int traces_children(const struct traces *, long pid);
static int traces_area(const struct traces *, int fd, off_t from, off_t to);
static int traces_found(const struct traces *, struct bytes);

int
traces_of(const struct server *s, const char *token)
{
	struct traces t;
	const long pid[] = { s->broker, s->listener };
	int found = 0, r;
	size_t i;

	traces_pieces(&t, token);
	asleep_children(s->listener);
	for (i = 0; i < 2; i++) {
		if ((r = traces_process(&t, pid[i])) == -1)
			return (-1);
		found |= r;
		if ((r = traces_children(&t, pid[i])) == -1)
			return (-1);
		found |= r;
	}
	return (found);
}

/* From what it says, early and late, and of its signature both forms. */
static void
traces_pieces(struct traces *t, const char *token)
{
	const char *says = strchr(token, '.') + 1, *mac = strchr(says, '.') + 1;
	ssize_t n;

	n = base64url_decode(t->mac, sizeof(t->mac), bytes_str(mac));
	if (mac - says < 3 * TRACES_OCTETS || n < TRACES_OCTETS)
		fatalx(1, "too short a token");
	t->piece[0] =
	    bytes_of((const uint8_t *)says + TRACES_OCTETS, TRACES_OCTETS);
	t->piece[1] =
	    bytes_of((const uint8_t *)mac - 1 - TRACES_OCTETS, TRACES_OCTETS);
	t->piece[2] = bytes_of((const uint8_t *)mac, TRACES_OCTETS);
	t->piece[3] = bytes_of(t->mac, TRACES_OCTETS);
}

static int
traces_children(const struct traces *t, long pid)
{
	char path[64];
	int found = 0, r;
	long child;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	if ((f = fopen(path, "r")) == NULL)
		return (-1);
	while (found != -1 && fscanf(f, "%ld", &child) == 1)
		found = (r = traces_process(t, child)) == -1 ? -1 : found | r;
	fclose(f);
	return (found);
}

static int
traces_process(const struct traces *t, long pid)
{
	uint64_t from, to;
	char path[64], line[512], may[8];
	int fd, found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	if (fd == -1 || (f = fopen(path, "r")) == NULL)
		return (-1);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to,
			may) == 3 &&
		    may[1] == 'w' &&
		    traces_area(t, fd, (off_t)from, (off_t)to)) {
			fprintf(stderr, "process %ld: a token in %s", pid,
			    line);
			found = 1;
		}
	fclose(f);
	close(fd);
	return (found);
}

/* What cannot be read is nobody's. */
static int
traces_area(const struct traces *t, int fd, off_t from, off_t to)
{
	size_t n = (size_t)(to - from);
	uint8_t *octets = malloc(n);
	ssize_t got;
	int found;

	if (octets == NULL)
		fatalx(1, "no memory");
	got = pread(fd, octets, n, from);
	found = got > 0 && traces_found(t, bytes_of(octets, (size_t)got));
	free(octets);
	return (found);
}

static int
traces_found(const struct traces *t, struct bytes in)
{
	size_t i;

	for (i = 0; i < TRACES_PIECES; i++)
		if (memmem(in.p, in.n, t->piece[i].p, t->piece[i].n) != NULL)
			return (1);
	return (0);
}

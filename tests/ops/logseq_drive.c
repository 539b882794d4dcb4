/*
 * logseq_drive: a Logseq graph in memory, driven over stdin for the oracles of
 * tests/interop/logseq.  A line a command, fields apart by tabs:
 *
 *     tx OP TRANSIT    one entry at the current t; OP may be empty.  Answer:
 *                      the result's number, t and the checksum, a line
 *     dump             "e a value" a line in the order of EAVT, then "."
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tests/lib/logseq_rig.h"

static void drive_tx(struct rig *, char *fields);
static void drive_dump(struct rig *);

int
main(void)
{
	static struct rig rig;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (rig_new(&rig) == -1)
		return (EX_OSERR);
	while ((n = getline(&line, &size, stdin)) > 0) {
		line[n - 1] = '\0';
		if (strncmp(line, "tx\t", 3) == 0)
			drive_tx(&rig, line + 3);
		else if (strcmp(line, "dump") == 0)
			drive_dump(&rig);
		else
			return (EX_USAGE);
		fflush(stdout);
	}
	free(line);
	rig_free(&rig);
	return (EX_OK);
}

static void
drive_tx(struct rig *r, char *fields)
{
	char *tx = strchr(fields, '\t');

	if (tx == NULL)
		exit(EX_USAGE);
	*tx++ = '\0';
	rig_tx(r, *fields == '\0' ? NULL : fields, tx);
	printf("%d %" PRIu64 " %.*s\n", (int)r->out.result, r->out.t,
	    (int)r->out.sum.n, (const char *)r->out.sum.p);
}

static void
drive_dump(struct rig *r)
{
	struct buf out = BUF_INIT;

	rig_dump(r, LOGSEQ_REG_EAVT, &out);
	fwrite(buf_bytes(&out).p, 1, out.len, stdout);
	puts(".");
	buf_free(&out);
}

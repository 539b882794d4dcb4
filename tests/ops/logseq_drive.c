/*
 * logseq_drive: a Logseq graph in memory, driven over stdin for the oracles of
 * tests/interop/logseq.  A line a command, fields apart by tabs:
 *
 *     tx OP TRANSIT    one entry at the current t; OP may be empty.  Answer:
 *                      the result's number, t and the checksum, a line
 *     dump             "e a value" a line in the order of EAVT, then "."
 *     upload           begins one.  Answer: the code's name
 *     datom E TX A V   one of it, V in Transit; kept for put
 *     put REF          hands them over (REF: empty, or tail).  Answer: the code
 *     sum              all steps of the checksum
 *     finish SUM       the code; SUM may be empty
 *     state            t, checksum, ready
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/codes.h"
#include "common/wire.h"
#include "tests/lib/logseq_rig.h"

static void drive_tx(struct rig *, char *fields);
static void drive_dump(struct rig *, char *);
static void drive_upload(struct rig *, char *);
static void drive_datom(struct rig *, char *fields);
static void drive_put(struct rig *, char *ref);
static void drive_sum(struct rig *, char *);
static void drive_finish(struct rig *, char *sum);
static void drive_state(struct rig *, char *);
static enum code drive_staged(struct rig *, uint64_t verb, struct bytes ref,
    struct bytes items);
static void drive_code(enum code);

static const struct {
	const char *name;
	void (*run)(struct rig *, char *fields);
} commands[] = {
	{ "tx", drive_tx },
	{ "dump", drive_dump },
	{ "upload", drive_upload },
	{ "datom", drive_datom },
	{ "put", drive_put },
	{ "sum", drive_sum },
	{ "finish", drive_finish },
	{ "state", drive_state },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static struct buf datoms; /* since the last put */

int
main(void)
{
	static struct rig rig;
	char *line = NULL, *fields;
	size_t size = 0, i;
	ssize_t n;

	if (rig_new(&rig) == -1)
		return (EX_OSERR);
	while ((n = getline(&line, &size, stdin)) > 0) {
		line[n - 1] = '\0';
		if ((fields = strchr(line, '\t')) != NULL)
			*fields++ = '\0';
		else
			fields = line + n - 1;
		for (i = 0; i < COMMANDS; i++)
			if (strcmp(line, commands[i].name) == 0)
				break;
		if (i == COMMANDS)
			return (EX_USAGE);
		commands[i].run(&rig, fields);
		fflush(stdout);
	}
	buf_free(&datoms);
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
drive_dump(struct rig *r, char *none)
{
	struct buf out = BUF_INIT;

	(void)none;
	rig_dump(r, LOGSEQ_REG_EAVT, &out);
	fwrite(buf_bytes(&out).p, 1, out.len, stdout);
	puts(".");
	buf_free(&out);
}

static void
drive_upload(struct rig *r, char *none)
{
	(void)none;
	drive_code(rig_verb(r, LOGSEQ_UPLOAD_BEGIN));
}

static void
drive_datom(struct rig *r, char *fields)
{
	struct buf store = BUF_INIT, packed = BUF_INIT;
	struct logseq_datom d = { .op = LOGSEQ_OP_ADD };
	struct transit token;
	char *rest = fields, *v;
	int64_t tx;

	d.e = strtoull(rest, &rest, 10);
	tx = strtoll(rest, &rest, 10);
	if (tx < 0)
		d.op = LOGSEQ_OP_RETRACT;
	d.tx = (uint64_t)(tx < 0 ? -tx : tx);
	if ((v = strchr(++rest, '\t')) == NULL)
		exit(EX_USAGE);
	*v++ = '\0';
	d.a = bytes_str(rest);
	transit_reader_init(&r->reader->reader, bytes_str(v));
	if (transit_next(&r->reader->reader, &token) != 1 ||
	    logseq_items_value(r->reader, &token, &store, &d.v) == -1)
		exit(EX_DATAERR);
	transit_reader_free(&r->reader->reader);
	logseq_datom_pack(&packed, &d);
	list_add(&datoms, buf_bytes(&packed));
	buf_free(&store);
	buf_free(&packed);
}

static void
drive_put(struct rig *r, char *ref)
{
	drive_code(drive_staged(r, LOGSEQ_UPLOAD_DATOMS, bytes_str(ref),
	    buf_bytes(&datoms)));
	buf_clear(&datoms);
}

static void
drive_sum(struct rig *r, char *none)
{
	enum code code;

	(void)none;
	do
		code =
		    drive_staged(r, LOGSEQ_UPLOAD_SUM, BYTES_NONE, BYTES_NONE);
	while (code == CODE_OK && r->info.len == 1 &&
	    buf_bytes(&r->info).p[0] == 1);
	drive_code(code);
}

static void
drive_finish(struct rig *r, char *sum)
{
	enum code code =
	    drive_staged(r, LOGSEQ_UPLOAD_FINISH, bytes_str(sum), BYTES_NONE);

	r->t = rig_state(r).t;
	drive_code(code);
}

static void
drive_state(struct rig *r, char *none)
{
	struct logseq_state s = rig_state(r);

	(void)none;
	printf("%" PRIu64 " %.*s %d\n", s.t, (int)s.sum.n,
	    (const char *)s.sum.p, (int)s.ready);
}

static enum code
drive_staged(struct rig *r, uint64_t verb, struct bytes ref, struct bytes items)
{
	struct submit s = { .verb = verb,
		.ref = ref,
		.clock = rig_state(r).staged,
		.items = items };

	return (rig_submit(r, LOGSEQ_ROOM_GRAPH, RIG_GRAPH, &s));
}

static void
drive_code(enum code code)
{
	puts(code_name(code));
}

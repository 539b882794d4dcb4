/*
 * compactor: repeated patches go when the operator says so, while a writer and
 * a reader go on; who comes later gets each patch once, the chain of hashes is
 * the same, and the file on the disk becomes smaller.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "tests/lib/client.h"

#define REPEATED    4000u
#define REPEAT_SIZE 4000u
#define AFTER	    200u

static char *compactor_ctl(const struct server *, const char *);
static long compactor_size(const struct server *);
static void compactor_smaller(const struct server *, long);
static void compactor_send(struct ctl_ws *, struct ctl_ws *, uint32_t,
    uint32_t);
static void compactor_late(const struct server *);
static void compactor_chain(const char *, const char *);

int
main(void)
{
	struct server s;
	struct ctl_ws writer, reader;
	char *before, *after, *said;
	long size;
	uint32_t i;

	log_init("compactor", LOG_TO_STDERR, LOG_LEVEL_INFO);
	server_make(&s);
	server_setting(&s, "log_level warn");
	server_setting(&s, "compact_grace 0");
	server_setting(&s, "checkpoint_bytes 1M");
	server_setting(&s, "checkpoint_ms 1s");
	server_start(&s, SERVER_ALL);
	client_connect(&writer, &s, "demo", "write");
	client_connect(&reader, &s, "demo", "read");
	for (i = 0; i < REPEATED; i++)
		compactor_send(&writer, &reader, 1, 1 + i % 2);
	before = compactor_ctl(&s, "verify sds:demo");
	size = compactor_size(&s);
	said = compactor_ctl(&s, "compact");
	if (strstr(said, "sds:demo dropped 3998 records 2 ") == NULL)
		fatalx(1, "compact said: %s", said);
	after = compactor_ctl(&s, "verify sds:demo");
	compactor_chain(before, after);
	compactor_smaller(&s, size);
	for (i = 1; i <= AFTER; i++)
		compactor_send(&writer, &reader, 2, i);
	compactor_late(&s);
	server_stop(&s, SERVER_BROKER, 1);
	server_start(&s, SERVER_BROKER);
	compactor_late(&s);
	ctl_ws_close(&writer);
	ctl_ws_close(&reader);
	server_stop(&s, SERVER_ALL, 0);
	server_remove(&s);
	free(before);
	free(after);
	free(said);
	return (0);
}

/* What quirectl prints; it must succeed. */
static char *
compactor_ctl(const struct server *s, const char *words)
{
	const char *b = getenv("QUIRE_B");
	char *command, *text;
	size_t n;
	FILE *f;

	if (asprintf(&command, "%s/quirectl -f %s/conf %s",
		b == NULL ? ".build" : b, s->dir, words) == -1 ||
	    (text = calloc(1, 65536)) == NULL ||
	    (f = popen(command, "r")) == NULL)
		fatal(1, "%s", words);
	n = fread(text, 1, 65535, f);
	text[n] = '\0';
	if (pclose(f) != 0)
		fatalx(1, "%s failed: %s", command, text);
	free(command);
	return (text);
}

static long
compactor_size(const struct server *s)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s/data/record.db", s->dir);
	if (stat(path, &st) == -1)
		fatal(1, "%s", path);
	return ((long)(st.st_size / 1024));
}

/* The next checkpoint cuts the file. */
static void
compactor_smaller(const struct server *s, long size)
{
	const struct timespec tick = { 0, 100000000 };
	int i;

	for (i = 0; i < 600 && compactor_size(s) > size / 4; i++)
		nanosleep(&tick, NULL);
	if (size < REPEATED * REPEAT_SIZE / 2048 || i == 600)
		fatalx(1, "record.db: %ld KiB before, %ld after", size,
		    compactor_size(s));
}

static void
compactor_send(struct ctl_ws *writer, struct ctl_ws *reader, uint32_t id,
    uint32_t number)
{
	struct buf patch = BUF_INIT;
	struct ctl_ws_message m;
	uint32_t i, n;

	patch_make(&patch, id, number, REPEAT_SIZE);
	client_send(writer, buf_bytes(&patch));
	buf_free(&patch);
	client_next(reader, &m);
	if (patch_read(m.data, &i, &n) == -1 || i != id || n != number)
		fatalx(1, "the reader got what nobody sent");
}

static void
compactor_late(const struct server *s)
{
	struct ctl_ws late;
	struct ctl_ws_message m;
	uint32_t id, number, i;

	client_connect(&late, s, "demo", "read");
	for (i = 0; i < 2 + AFTER; i++) {
		client_next(&late, &m);
		if (patch_read(m.data, &id, &number) == -1 ||
		    id != (i < 2 ? 1u : 2u) ||
		    number != (i < 2 ? i + 1 : i - 1))
			fatalx(1, "a late joiner got another patch as %u", i);
	}
	ctl_ws_close(&late);
}

static void
compactor_chain(const char *before, const char *after)
{
	const char *a = strstr(before, " chain "),
		   *b = strstr(after, " chain ");

	if (a == NULL || b == NULL || strncmp(a, b, 7 + 64) != 0)
		fatalx(1, "another chain:\n%s%s", before, after);
}

/*
 * slow [MIB]: one client stops reading while so much passes, the others go on
 * as ever, and the broker's memory does not grow by it.  Then it reads on and
 * has missed nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "tests/lib/client.h"

#define SLOW_PATCH_BYTES 65536u
#define SLOW_GROWTH_KIB	 (32u * 1024u)
#define SLOW_WARM	 64 /* patches before memory is looked at */

struct slow {
	struct server server;
	struct ctl_ws writer;
	struct ctl_ws reader;
	struct ctl_ws sleeper;
	uint32_t count;
	uint32_t read; /* by the reader */
	uint64_t least_kib;
	uint64_t most_kib;
};

static void slow_write(struct slow *, uint32_t);
static void slow_wait(struct slow *, uint32_t);
static void slow_rss(struct slow *);
static void slow_is(const struct ctl_ws_message *, uint32_t);

int
main(int argc, char **argv)
{
	static struct slow s;
	struct ctl_ws_message m;
	uint32_t n;

	log_init("slow", LOG_TO_STDERR, LOG_LEVEL_INFO);
	s.count = SLOW_WARM +
	    (argc > 1 ? (uint32_t)atoi(argv[1]) : 100) *
		(1048576u / SLOW_PATCH_BYTES);
	server_make(&s.server);
	server_setting(&s.server, "log_level warn");
	/* What the database may keep in memory is not what is looked for. */
	server_setting(&s.server, "cache_bytes 8M");
	/* The sleeper is asleep, not dead. */
	server_setting(&s.server, "write_ms 1h");
	server_setting(&s.server, "ping_ms 0");
	server_start(&s.server, SERVER_ALL);
	client_connect(&s.sleeper, &s.server, "demo", "read");
	client_connect(&s.reader, &s.server, "demo", "read");
	client_connect(&s.writer, &s.server, "demo", "write");
	slow_write(&s, SLOW_WARM);
	s.least_kib = s.most_kib = server_rss_kib(s.server.broker);
	slow_write(&s, s.count);
	printf("broker: %llu KiB before, %llu at most\n",
	    (unsigned long long)s.least_kib, (unsigned long long)s.most_kib);
	fflush(stdout);
	if (s.most_kib > s.least_kib + SLOW_GROWTH_KIB)
		fatalx(1, "the broker grew by more than %u KiB",
		    SLOW_GROWTH_KIB);
	for (n = 1; n <= s.count; n++) {
		client_next(&s.sleeper, &m);
		slow_is(&m, n);
	}
	ctl_ws_close(&s.sleeper);
	ctl_ws_close(&s.reader);
	ctl_ws_close(&s.writer);
	server_stop(&s.server, SERVER_ALL, 0);
	server_remove(&s.server);
	return (0);
}

/* Sends up to that number, and sees to it that the reader has them all. */
static void
slow_write(struct slow *s, uint32_t upto)
{
	struct buf patch = BUF_INIT;
	uint32_t n;

	for (n = s->read + 1; n <= upto; n++) {
		patch_make(&patch, 1, n, SLOW_PATCH_BYTES);
		client_send(&s->writer, buf_bytes(&patch));
		if (n % 16 == 0) {
			slow_wait(s, n);
			slow_rss(s);
		}
	}
	slow_wait(s, upto);
	slow_rss(s);
	buf_free(&patch);
}

static void
slow_wait(struct slow *s, uint32_t upto)
{
	struct ctl_ws_message m;

	while (s->read < upto) {
		client_next(&s->reader, &m);
		slow_is(&m, ++s->read);
	}
}

static void
slow_rss(struct slow *s)
{
	uint64_t kib = server_rss_kib(s->server.broker);

	if (kib > s->most_kib)
		s->most_kib = kib;
}

static void
slow_is(const struct ctl_ws_message *m, uint32_t expected)
{
	uint32_t writer, number;

	if (m->opcode != WS_BINARY ||
	    patch_read(m->data, &writer, &number) == -1 || number != expected)
		fatalx(1, "number %u is not what came", expected);
}

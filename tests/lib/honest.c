/*
 * Attacks in turn, each with honest traffic before, during and after it.
 */
#include <stdio.h>

#include "common/log.h"
#include "tests/lib/honest.h"

#define HONEST_PATCHES	   20
#define HONEST_PATCH_BYTES 500

void
honest_run(const struct attack *attack, size_t n, const char *const *settings)
{
	static struct honest h;
	size_t i;

	server_make(&h.server);
	server_setting(&h.server, "log_level warn");
	for (; *settings != NULL; settings++)
		server_setting(&h.server, *settings);
	server_start(&h.server, SERVER_ALL);
	client_connect(&h.reader, &h.server, "honest", "read");
	client_connect(&h.writer, &h.server, "honest", "write");
	honest_traffic(&h);
	printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		attack[i].run(&h);
		honest_traffic(&h);
		printf("ok %zu - %s\n", i + 1, attack[i].name);
		fflush(stdout);
	}
	ctl_ws_close(&h.reader);
	ctl_ws_close(&h.writer);
	server_stop(&h.server, SERVER_ALL, 0);
	server_remove(&h.server);
}

void
honest_traffic(struct honest *h)
{
	struct buf patch = BUF_INIT;
	struct ctl_ws_message m;
	uint32_t i, writer, number;

	for (i = 1; i <= HONEST_PATCHES; i++) {
		patch_make(&patch, 1, h->number + i, HONEST_PATCH_BYTES);
		client_send(&h->writer, buf_bytes(&patch));
	}
	for (i = 0; i < HONEST_PATCHES; i++) {
		client_next(&h->reader, &m);
		if (m.opcode != WS_BINARY ||
		    patch_read(m.data, &writer, &number) == -1 ||
		    number != ++h->number)
			fatalx(1, "honest patch %u did not come", h->number);
	}
	buf_free(&patch);
}

void
honest_mark(struct honest *h)
{
	h->rss_kib = server_rss_kib(h->server.broker);
}

void
honest_grown(struct honest *h, uint64_t most_kib)
{
	uint64_t now = server_rss_kib(h->server.broker);

	if (now > h->rss_kib + most_kib)
		fatalx(1, "the broker grew from %llu to %llu KiB",
		    (unsigned long long)h->rss_kib, (unsigned long long)now);
}

/*
 * What the lines of wire scripts share.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/play.h"

void
play_fail(const struct play *play, const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fprintf(stderr, "%s:%u: ", play->file, play->line);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* Takes value over. */
void
play_keep(struct play *play, const char *name, char *value)
{
	if (script_set(&play->vars, name, value) == -1)
		play_fail(play, "too many variables");
	free(value);
}

void
play_url(struct play *play, struct ctl_url *url, const char *target)
{
	snprintf(url->host, sizeof(url->host), "127.0.0.1");
	snprintf(url->port, sizeof(url->port), "%u", play->server.port);
	url->target = target;
}

/* Unless it is connected. */
void
play_dial(struct play *play, struct play_client *c)
{
	struct ctl_url url;

	play_url(play, &url, "/");
	if (c->ws.fd == -1)
		play_sent(play, c, ctl_ws_dial(&c->ws, &url, PLAY_MS));
}

void
play_octets(struct play *play, const char *text, struct buf *out)
{
	if (script_octets(text, out) == -1)
		play_fail(play, "these are no octets: %s", text);
}

/* The beginning, then octets that repeat at no power of two, counted on from
 * one of them. */
void
play_big(struct play *play, char *rest, struct buf *out)
{
	char *begin = script_word(&rest), *end;
	unsigned long size = strtoul(rest, &end, 10);
	unsigned long from = strtoul(end, NULL, 10);

	play_octets(play, begin, out);
	if (out->len == 0 || size < out->len)
		play_fail(play, "no size");
	while (out->len < size)
		buf_add_u8(out, (uint8_t)(from++ % 251));
	if (out->failed)
		play_fail(play, "no memory");
}

void
play_sent(struct play *play, struct play_client *c, int result)
{
	if (result == 0)
		play_fail(play, "%c: no progress for %d s", c->name,
		    PLAY_MS / 1000);
	if (result == -1)
		play_fail(play, "%c: %s", c->name, c->ws.why);
}

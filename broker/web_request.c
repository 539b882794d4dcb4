/* The head of a request, of which little is looked at. */
#include <sys/socket.h>

#include <string.h>

#include <event2/util.h>

#include "broker/web.h"

static struct bytes web_until(struct bytes *, const char *end);
static int web_hosts_ok(struct bytes);
static int web_host_ok(struct bytes);

unsigned int
web_request(struct bytes head, struct web_request *r)
{
	struct bytes line = web_until(&head, "\r\n");
	struct bytes method = web_until(&line, " ");

	r->path = web_until(&line, " ");
	if (!bytes_eq(line, BYTES_LIT("HTTP/1.1")) &&
	    !bytes_eq(line, BYTES_LIT("HTTP/1.0")))
		return (400);
	if (!bytes_eq(method, BYTES_LIT("GET")))
		return (405);
	r->ours = web_hosts_ok(head);
	return (200);
}

/* What stands before end, which is dropped with it; all where it is not. */
static struct bytes
web_until(struct bytes *text, const char *end)
{
	const uint8_t *at =
	    text->n == 0 ? NULL : memmem(text->p, text->n, end, strlen(end));
	struct bytes word = *text;

	if (at != NULL)
		word.n = (size_t)(at - text->p);
	*text = bytes_skip(*text, word.n + (at != NULL ? strlen(end) : 0));
	return (word);
}

/*
 * A name that anybody can make mean our address would let his page read ours:
 * only addresses and localhost are ours.  Prometheus may call us as it likes.
 */
static int
web_hosts_ok(struct bytes head)
{
	struct bytes line;

	while (head.n > 0) {
		line = web_until(&head, "\r\n");
		if (line.n >= 5 &&
		    evutil_ascii_strncasecmp((const char *)line.p,
			"host:", 5) == 0 &&
		    !web_host_ok(bytes_skip(line, 5)))
			return (0);
	}
	return (1);
}

static int
web_host_ok(struct bytes value)
{
	struct sockaddr_storage ss;
	int len = (int)sizeof(ss);
	char host[64];

	while (value.n > 0 && (value.p[0] == ' ' || value.p[0] == '\t'))
		value = bytes_skip(value, 1);
	if (value.n >= sizeof(host))
		return (0);
	memcpy(host, value.p, value.n);
	host[value.n] = '\0';
	if (strcmp(host, "localhost") == 0 ||
	    strncmp(host, "localhost:", 10) == 0)
		return (1);
	return (evutil_parse_sockaddr_port(host, (void *)&ss, &len) == 0);
}

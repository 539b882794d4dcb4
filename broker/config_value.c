/* What single settings may be; see config_value.h. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/config_value.h"
#include "broker/web.h"

#define VALUE_MAX 1024u /* octets; what is longer is refused by its row */

static const char *value_text(char[VALUE_MAX + 1], const struct bytes *);
static const char *value_prefix(const struct bytes *, bool folder);
static const char *value_host(const char *url);

/* Paths that other dialects own: a prefix must not stand before them. */
static const char *const value_owned[] = { "/ws/", "/signal/", "/api/",
	"/health", "/graphs", "/sync/", "/assets/", "/e2ee/", "/echo" };

const char *
config_value_metrics(struct bytes *value)
{
	struct sockaddr_storage ss;
	char text[VALUE_MAX + 1];
	int len;

	if (value->n > 0 &&
	    web_address(value_text(text, value), &ss, &len) == -1)
		return ("is not ADDRESS:PORT");
	return (NULL);
}

const char *
config_value_public_url(struct bytes *value)
{
	char text[VALUE_MAX + 1];
	const char *url = value_text(text, value);

	if (value->n == 0)
		return (NULL);
	if (value_host(url) == NULL)
		return ("is not scheme://host");
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return ("is neither http nor https");
	return (NULL);
}

const char *
config_value_origin(struct bytes *value)
{
	char text[VALUE_MAX + 1];
	const char *url = value_text(text, value), *host = value_host(url);

	if (strcmp(url, "null") == 0)
		return (NULL);
	if (host == NULL)
		return ("is not scheme://host");
	return (strchr(host, '/') != NULL ? "has a path" : NULL);
}

/* An IPv4 or IPv6 address, with a slash and a number of bits or without. */
const char *
config_value_proxy(struct bytes *value)
{
	char text[VALUE_MAX + 1], *end;
	char *slash = strchr(value_text(text, value), '/');
	struct in6_addr address;
	long bits, most;

	if (slash != NULL)
		*slash = '\0';
	if (inet_pton(AF_INET, text, &address) == 1)
		most = 32;
	else if (inet_pton(AF_INET6, text, &address) == 1)
		most = 128;
	else
		return ("is not an address");
	if (slash == NULL)
		return (NULL);
	bits = strtol(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > most)
		return ("has no such network size");
	return (NULL);
}

/* Documents follow, so it ends in a slash. */
const char *
config_value_secsync_prefix(struct bytes *value)
{
	return (value_prefix(value, true));
}

const char *
config_value_canvas_prefix(struct bytes *value)
{
	return (value_prefix(value, false));
}

/* The protocol's own members are not to be redefined. */
const char *
config_value_secsync_extra(struct bytes *value)
{
	static const char *const words[] = { "string", "number", "boolean",
		"array", "object" };
	static const char *const taken =
	    " docId pubKey snapshotId parentSnapshotId parentSnapshotProof"
	    " parentSnapshotUpdateClocks refSnapshotId clock ";
	char text[VALUE_MAX + 1], name[256], type[256], whole[259];
	unsigned long octets;
	size_t i;
	int n = -1;

	/* NOLINTNEXTLINE(cert-err34-c): five digits fit */
	if (sscanf(value_text(text, value), "%255s %255s %5lu%n", name, type,
		&octets, &n) != 3 ||
	    text[n] != '\0' || octets == 0 || octets > 65536)
		return ("is not a name, a type and 1 to 65536");
	snprintf(whole, sizeof(whole), " %s ", name);
	if (strpbrk(name, "\"\\") != NULL || strstr(taken, whole) != NULL)
		return ("has no name of its own");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(type, words[i]) == 0)
			return (NULL);
	return ("has no known type");
}

static const char *
value_text(char text[VALUE_MAX + 1], const struct bytes *value)
{
	snprintf(text, VALUE_MAX + 1, "%.*s", (int)value->n,
	    (const char *)value->p);
	return (text);
}

static const char *
value_prefix(const struct bytes *value, bool folder)
{
	char text[VALUE_MAX + 1];
	const char *prefix = value_text(text, value);
	size_t i, n = strlen(prefix);

	if (prefix[0] != '/' || strstr(prefix, "//") != NULL ||
	    strstr(prefix, "/.") != NULL || strpbrk(prefix, "?#% \\") != NULL)
		return ("is not a plain path");
	if (n < 2)
		return ("would cover every path: see the setting root");
	if ((prefix[n - 1] == '/') != folder)
		return (folder ? "does not end in a slash" : "ends in a slash");
	for (i = 0; i < sizeof(value_owned) / sizeof(value_owned[0]); i++)
		if (strncmp(prefix, value_owned[i], strlen(value_owned[i])) ==
		    0)
			return ("belongs to another dialect");
	return (NULL);
}

/* Of scheme://host and what follows, or NULL. */
static const char *
value_host(const char *url)
{
	const char *host = strstr(url, "://");

	if (host == NULL || host == url || host[3] == '\0' || host[3] == '/' ||
	    strpbrk(url, " ?#") != NULL)
		return (NULL);
	return (host + 3);
}

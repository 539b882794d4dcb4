/* The address of a WebSocket, cut into what is dialled and what is asked. */
#include <string.h>

#include "broker/ctl_url.h"

#define CTL_SCHEME "ws://"

const char *
ctl_url_parse(struct ctl_url *url, const char *text)
{
	const char *host = text + sizeof(CTL_SCHEME) - 1, *end, *port, *p;
	size_t authority;

	if (strncmp(text, "wss://", 6) == 0)
		return ("wss:// is not spoken here; give the ws:// address "
			"that the TLS proxy forwards to");
	if (strncmp(text, CTL_SCHEME, sizeof(CTL_SCHEME) - 1) != 0)
		return ("not a ws:// URL");
	for (p = host; *p != '\0'; p++)
		if (*p <= ' ' || *p == 0x7f || *p == '#')
			return ("a character that has no place in a URL");
	authority = strcspn(host, "/?");
	url->target = host + authority;
	end = *host == '[' ? memchr(host, ']', authority)
			   : memchr(host, ':', authority);
	if (*host == '[' && end == NULL)
		return ("a bracket is not closed");
	port = end == NULL ? host + authority : end + (*end == ']');
	if (end == NULL)
		end = port;
	if (*host == '[')
		host++;
	if (end == host || (size_t)(end - host) >= sizeof(url->host))
		return ("no host, or too long a one");
	memcpy(url->host, host, (size_t)(end - host));
	url->host[end - host] = '\0';
	if (port == url->target) {
		memcpy(url->port, "80", 3);
		return (NULL);
	}
	if (*port++ != ':' || port == url->target ||
	    strspn(port, "0123456789") != (size_t)(url->target - port) ||
	    (size_t)(url->target - port) >= sizeof(url->port))
		return ("not a port");
	memcpy(url->port, port, (size_t)(url->target - port));
	url->port[url->target - port] = '\0';
	return (NULL);
}

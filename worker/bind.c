/* Addresses as text, and the options that all that is accepted inherits. */
#include <sys/types.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/bind.h"

#define BIND_BACKLOG 511

static int bind_socket(const struct addrinfo *);
static void bind_split(const char *address, char *host, size_t nhost,
    char *port, size_t nport);

void
bind_address(const char *address, void (*add)(void *, int), void *arg)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list, *ai;
	char host[256], port[16];
	int fd, error;

	bind_split(address, host, sizeof(host), port, sizeof(port));
	error = getaddrinfo(host[0] == '\0' ? NULL : host, port, &hints, &list);
	if (error != 0)
		fatalx(EX_USAGE, "%s: %s", address, gai_strerror(error));
	for (ai = list; ai != NULL; ai = ai->ai_next) {
		if ((fd = bind_socket(ai)) == -1)
			fatal(EX_UNAVAILABLE, "%s", address);
		add(arg, fd);
	}
	freeaddrinfo(list);
}

/* Options on the listening socket are inherited by what it accepts. */
static int
bind_socket(const struct addrinfo *ai)
{
	int fd, on = 1;

	if ((fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol)) ==
	    -1)
		return (-1);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == -1 ||
	    listen(fd, BIND_BACKLOG) == -1) {
		close(fd);
		return (-1);
	}
	return (fd);
}

/* "host:port" or "[host]:port"; an empty host is every address. */
static void
bind_split(const char *address, char *host, size_t nhost, char *port,
    size_t nport)
{
	const char *colon = strrchr(address, ':');
	const char *from = address;
	size_t n;

	if (colon == NULL || colon[1] == '\0' || strlen(colon + 1) >= nport)
		fatalx(EX_USAGE, "%s: not ADDRESS:PORT", address);
	n = (size_t)(colon - address);
	if (n >= 2 && address[0] == '[' && colon[-1] == ']') {
		from++;
		n -= 2;
	} else if (memchr(address, ':', n) != NULL)
		fatalx(EX_USAGE, "%s: IPv6 goes in brackets", address);
	if (n >= nhost)
		fatalx(EX_USAGE, "%s: too long", address);
	memcpy(host, from, n);
	host[n] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	/* getaddrinfo takes the rest of a division for larger ones. */
	if (strspn(port, "0123456789") != strlen(port) ||
	    strtol(port, NULL, 10) > 65535)
		fatalx(EX_USAGE, "%s: the port is no number up to 65535",
		    address);
}

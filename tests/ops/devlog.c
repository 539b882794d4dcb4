/*
 * devlog PATH TEXT: is the system's log at PATH, says "ready", and prints what
 * it is sent until a line with TEXT in it came.  Ten seconds of silence are a
 * failure.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"

#define DEVLOG_MS 10000

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct pollfd p = { .events = POLLIN };
	char line[4096] = "";
	ssize_t n;

	log_init("devlog", LOG_TO_STDERR, LOG_LEVEL_INFO);
	if (argc != 3 || strlen(argv[1]) >= sizeof(sun.sun_path))
		fatalx(2, "usage: devlog path text");
	memcpy(sun.sun_path, argv[1], strlen(argv[1]) + 1);
	p.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(p.fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		fatal(1, "%s", argv[1]);
	puts("ready");
	fflush(stdout);
	while (strstr(line, argv[2]) == NULL) {
		if (poll(&p, 1, DEVLOG_MS) != 1)
			fatalx(1, "no line with \"%s\" came", argv[2]);
		if ((n = recv(p.fd, line, sizeof(line) - 1, 0)) == -1)
			fatal(1, "receive");
		line[n] = '\0';
		puts(line);
		fflush(stdout);
	}
	return (0);
}

/* sendmsg(2) with all that it takes. */
#include <sys/socket.h>

#include <string.h>

#include "tests/lib/pass.h"

int
pass(int through, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	char octet = 0;
	struct iovec iov = { &octet, 1 };
	struct msghdr mh = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };

	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = (socklen_t)CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	return (sendmsg(through, &mh, MSG_NOSIGNAL) == 1 ? 0 : -1);
}

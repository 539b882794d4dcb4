/* quirectl log-level and trace: what the broker says of its work. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "broker/ctl.h"

int
ctl_log_level(const struct ctl *ctl, int argc, char **argv)
{
	if (argc > 2 || (argc == 2 && log_level_parse(argv[1]) == -1))
		return (ctl_usage(argv[0]));
	return (ctl_job(ctl, argv[0], argc == 2 ? argv[1] : ""));
}

int
ctl_trace(const struct ctl *ctl, int argc, char **argv)
{
	const char *session = "0", *names = NULL;
	struct buf words = BUF_INIT;
	int c, status;

	while ((c = getopt(argc, argv, "+m:s:")) != -1)
		if (c == 'm')
			names = optarg;
		else if (c == 's')
			session = optarg;
		else
			return (ctl_usage(argv[0]));
	if (argc != optind)
		return (ctl_usage(argv[0]));
	buf_add_str(&words, session);
	if (names != NULL)
		buf_printf(&words, " %s", names);
	if (buf_add_u8(&words, '\0') == -1)
		return (EX_OSERR);
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = ctl_job(ctl, argv[0], (const char *)buf_bytes(&words).p);
	buf_free(&words);
	return (status);
}

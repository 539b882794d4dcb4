/* quirectl token static: a token for a household, and the line for it. */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "broker/ctl.h"
#include "broker/statics.h"

int
ctl_token_static(const struct ctl *ctl, int argc, char **argv)
{
	struct bytes subject = BYTES_NONE, stores[CLAIMS_LIST_MAX];
	struct buf token = BUF_INIT, line = BUF_INIT;
	enum scope scope = SCOPE_NONE;
	struct statics *checked = NULL;
	size_t n = 0;
	int c, status = EX_DATAERR;

	(void)ctl;
	while ((c = getopt(argc, argv, "+a:s:S:")) != -1)
		if (c == 's')
			subject = bytes_str(optarg);
		else if (c == 'S')
			scope = scope_parse(bytes_str(optarg));
		else if (c == 'a' && n < CLAIMS_LIST_MAX)
			stores[n++] = bytes_str(optarg);
		else
			return (ctl_usage(argv[0]));
	if (argc != optind || subject.n == 0 || scope == SCOPE_NONE || n == 0)
		return (ctl_usage(argv[0]));
	/* Whoever reads the line must take it. */
	if (statics_make(scope, subject, stores, n, &token, &line) == 0 &&
	    (checked = statics_parse("the line", buf_bytes(&line))) != NULL) {
		printf("%.*s%.*s", (int)token.len,
		    (const char *)buf_bytes(&token).p, (int)line.len,
		    (const char *)buf_bytes(&line).p);
		status = fflush(stdout) == 0 ? 0 : EX_IOERR;
	}
	statics_free(checked);
	buf_wipe(&token);
	buf_free(&line);
	return (status);
}

/* quirectl token revoke and revocations. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "broker/ctl.h"
#include "broker/ctl_answer.h"

struct ctl_revoke {
	const char *command; /* of the broker's */
	int64_t before;
	int64_t until;
};

static int ctl_revoke_args(struct ctl_revoke *, int, char **);
static int ctl_revoke_time(const char *, int64_t *);

static const struct ctl_column ctl_revocation_columns[] = {
	{ "kind", CTL_WORD },
	{ "made", CTL_TIME },
	{ "before", CTL_TIME },
	{ "until", CTL_TIME },
	{ "text", CTL_QUOTED },
};

int
ctl_token_revoke(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_revoke a = { .command = "revoke" };
	struct buf words = BUF_INIT;
	const char *kind;
	int status, all;

	if (ctl_revoke_args(&a, argc, argv) == -1)
		return (ctl_usage(argv[0]));
	if (optind == argc)
		return (ctl_usage(argv[0]));
	kind = argv[optind++];
	all = strcmp(kind, "all") == 0;
	if (argc - optind != !all ||
	    (!all && strcmp(kind, "jti") != 0 && strcmp(kind, "subject") != 0))
		return (ctl_usage(argv[0]));
	if (buf_printf(&words, "%s %lld %lld %s", kind, (long long)a.before,
		(long long)a.until, all ? "" : argv[optind]) == -1 ||
	    buf_add_u8(&words, '\0') == -1)
		return (EX_OSERR);
	status = ctl_job(ctl, a.command, (const char *)buf_bytes(&words).p);
	buf_free(&words);
	return (status);
}

int
ctl_token_revocations(const struct ctl *ctl, int argc, char **argv)
{
	int as_json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc != 1 + as_json)
		return (ctl_usage(argv[0]));
	return (ctl_list(ctl, "revocations", as_json, ctl_revocation_columns,
	    sizeof(ctl_revocation_columns) /
		sizeof(ctl_revocation_columns[0])));
}

static int
ctl_revoke_args(struct ctl_revoke *a, int argc, char **argv)
{
	int64_t ttl_s;
	int c;

	while ((c = getopt(argc, argv, "+b:dt:")) != -1)
		switch (c) {
		case 'b':
			if (ctl_revoke_time(optarg, &a->before) == 0)
				break;
			log_warnx("-b %s: not a time", optarg);
			return (-1);
		case 'd':
			a->command = "forgive";
			break;
		case 't':
			if (ctl_duration(optarg, &ttl_s) == -1 || ttl_s == 0) {
				log_warnx("-t %s: not a duration", optarg);
				return (-1);
			}
			a->until = (int64_t)time(NULL) + ttl_s;
			break;
		default:
			return (-1);
		}
	return (0);
}

/* Unix seconds, or a date of UTC with or without a time of day. */
static int
ctl_revoke_time(const char *text, int64_t *t)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d" };
	struct tm tm;
	const char *end;
	char *rest;
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		memset(&tm, 0, sizeof(tm));
		if ((end = strptime(text, forms[i], &tm)) == NULL ||
		    *end != '\0')
			continue;
		*t = (int64_t)timegm(&tm);
		return (0);
	}
	errno = 0;
	*t = strtoll(text, &rest, 10);
	return (
	    *text < '1' || *text > '9' || *rest != '\0' || errno != 0 ? -1 : 0);
}

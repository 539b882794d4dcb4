/*
 * quirectl verify: by the broker beside its traffic, or (-d) here, over a
 * directory that no broker has open: a backup, or a standby's.
 */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"
#include "broker/boot.h"
#include "broker/ctl.h"
#include "broker/doc_name.h"
#include "broker/verify.h"

static verify_say ctl_verify_say;
static verify_late ctl_verify_late;

int
ctl_verify(const struct ctl *ctl, int argc, char **argv)
{
	const char *dir = NULL, *store;
	struct buf mem = BUF_INIT;
	struct doc_id id;
	int c, status;

	while ((c = getopt(argc, argv, "d:")) != -1) {
		if (c != 'd')
			return (ctl_usage(argv[0]));
		dir = optarg;
	}
	if (argc - optind > 1)
		return (ctl_usage(argv[0]));
	store = optind < argc ? argv[optind] : "";
	if (store[0] != '\0' &&
	    doc_name_parse(bytes_str(store), &mem, &id) == -1) {
		log_warnx("%s: that is no name of a store", store);
		status = EX_USAGE;
	} else if (dir == NULL)
		status = ctl_job(ctl, "verify", store);
	else
		status = ctl_verify_dir(dir, store[0] == '\0' ? NULL : &id, 0);
	buf_free(&mem);
	return (status);
}

int
ctl_verify_dir(const char *dir, const struct doc_id *only, int copied)
{
	struct verify *v = NULL;
	struct kv *kv;
	int r = -1, status;

	if ((kv = ctl_kv_open(dir, copied, &status)) == NULL)
		return (status);
	v = verify_new(kv, only, ctl_verify_say, ctl_verify_late, NULL);
	while (v != NULL && (r = verify_step(v)) == 1)
		;
	status = r == -1 || verify_damaged(v) > 0 ? EX_DATAERR : 0;
	if (r == -1)
		log_warnx("%s: cannot be read to its end", dir);
	else if (status != 0)
		log_warnx("%s: %llu of %llu stores damaged", dir,
		    (unsigned long long)verify_damaged(v),
		    (unsigned long long)verify_seen(v));
	verify_free(v);
	kv->ops->close(kv);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		log_warn("standard output");
		status = EX_IOERR;
	}
	return (status);
}

struct kv *
ctl_kv_open(const char *dir, int copied, int *status)
{
	const struct kv_bdb_options o = {
		.dir = dir,
		.cache_bytes = 64 * MIB,
		.log_buffer_bytes = 4 * MIB,
		.checkpoint_bytes = 32 * MIB,
		.checkpoint_ms = 60000,
		.copied = copied,
	};
	struct kv *kv;
	char why[256];

	/* Opening makes what is not there, in whatever directory that is. */
	if (!kv_bdb_there(dir)) {
		log_warnx("%s: there is no store in it", dir);
		*status = EX_NOINPUT;
		return (NULL);
	}
	if ((kv = kv_bdb_open(&o, why, sizeof(why))) == NULL) {
		log_warnx("%s", why);
		*status = EX_NOINPUT;
		return (NULL);
	}
	if (boot_format(kv, why, sizeof(why)) == 0)
		return (kv);
	log_warnx("%s %s", dir, why);
	kv->ops->close(kv);
	*status = EX_DATAERR;
	return (NULL);
}

static void
ctl_verify_say(const struct verify_result *r, void *arg)
{
	struct buf line = BUF_INIT;

	(void)arg;
	verify_print(r, &line);
	fwrite(buf_bytes(&line).p, 1, line.len, stdout);
	buf_free(&line);
}

static int
ctl_verify_late(void *arg)
{
	(void)arg;
	return (0);
}

/*
 * quirectl import -c and export -c: a canvas room from and to the file in which
 * the original server keeps it (canvas.md, section 11), over a store that no
 * broker has open.  State, stamps and number stay as they are, so that clients'
 * cursors stay valid.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "broker/boot.h"
#include "broker/confine.h"
#include "broker/ctl.h"
#include "broker/ctl_canvas.h"
#include "common/limits.h"
#include "common/log.h"

static int canvas_args(int, char **, int words);
static int canvas_in_store(const struct ctl *ctl, const char *room,
    ctl_canvas_work *work, void *arg);
static int canvas_in_kv(struct kv *kv, const struct config *config,
    const char *room, ctl_canvas_work *work, void *arg);
static int canvas_become(const struct config *);
static int canvas_read_file(const char *, struct buf *);

int
ctl_room_import(const struct ctl *ctl, int argc, char **argv)
{
	struct buf text = BUF_INIT;
	int status;

	if (canvas_args(argc, argv, 2) == -1)
		return (ctl_usage(argv[0]));
	if (canvas_read_file(argv[optind + 1], &text) == -1) {
		status = ctl_exit_errno(errno);
		log_warn("%s", argv[optind + 1]);
	} else
		status = canvas_in_store(ctl, argv[optind], ctl_canvas_import,
		    &text);
	buf_free(&text);
	return (status);
}

int
ctl_room_export(const struct ctl *ctl, int argc, char **argv)
{
	if (canvas_args(argc, argv, 1) == -1)
		return (ctl_usage(argv[0]));
	return (canvas_in_store(ctl, argv[optind], ctl_canvas_export, NULL));
}

/* -c is the one kind there is. */
static int
canvas_args(int argc, char **argv, int words)
{
	int c, canvas = 0;

	while ((c = getopt(argc, argv, "+c")) != -1) {
		if (c != 'c')
			return (-1);
		canvas = 1;
	}
	return (canvas && argc - optind == words ? 0 : -1);
}

static int
canvas_in_store(const struct ctl *ctl, const char *room, ctl_canvas_work *work,
    void *arg)
{
	struct kv_bdb_options o = { 0 };
	struct config *config;
	struct kv *kv;
	char why[256];
	uint64_t boot;
	int status;

	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	o.dir = config->data;
	o.cache_bytes =
	    kv_cache_bytes((uint64_t)config->cache_bytes, kv_cache_memory());
	o.log_buffer_bytes = (uint64_t)config->log_buffer_bytes;
	o.checkpoint_bytes = (uint64_t)config->checkpoint_bytes;
	o.checkpoint_ms = (uint64_t)config->checkpoint_ms;
	if (canvas_become(config) == -1) {
		log_warn("user %s", config->user);
		status = EX_NOPERM;
	} else if ((kv = kv_bdb_open(&o, why, sizeof(why))) == NULL) {
		log_warnx("%s", why);
		status = EX_UNAVAILABLE;
	} else {
		if (boot_format(kv, why, sizeof(why)) == -1 ||
		    boot_count(kv, &boot) == -1) {
			log_warnx("%s: not a store of this release",
			    config->data);
			status = EX_DATAERR;
		} else
			status = canvas_in_kv(kv, config, room, work, arg);
		kv->ops->close(kv);
	}
	config_free(config);
	return (status);
}

static int
canvas_in_kv(struct kv *kv, const struct config *config, const char *room,
    ctl_canvas_work *work, void *arg)
{
	struct doc_id id = { DIALECT_CANVAS, 0, bytes_str(room) };
	const char *wrong = "the store failed";
	struct timespec now;
	struct txn t;

	if (kv->ops->begin(kv) == -1) {
		log_warnx("%s", wrong);
		return (EX_IOERR);
	}
	txn_init(&t, kv, &id);
	t.conf = config;
	t.row_later = 1;
	clock_gettime(CLOCK_REALTIME, &now);
	t.now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (txn_load(&t) != -1)
		wrong = work(&t, arg);
	if (wrong == NULL && (txn_row_save(&t) == -1 || t.failed))
		wrong = "the store failed";
	if (wrong != NULL)
		kv->ops->abort(kv);
	else if (kv->ops->commit(kv) == -1 || kv->ops->flush(kv) == -1)
		wrong = "the store failed";
	txn_done(&t);
	if (wrong == NULL)
		return (0);
	log_warnx("room %s: %s", room, wrong);
	return (EX_DATAERR);
}

/* What is written must be the broker's own. */
static int
canvas_become(const struct config *config)
{
	struct sandbox_plan plan;

	if (geteuid() != 0)
		return (0);
	confine_plan(config, &plan);
	if (plan.uid == (uid_t)-1)
		return (0);
	confine_give(&plan, config->data);
	return (setgroups(1, &plan.gid) == -1 || setgid(plan.gid) == -1 ||
		    setuid(plan.uid) == -1
		? -1
		: 0);
}

static int
canvas_read_file(const char *path, struct buf *text)
{
	uint8_t *room;
	ssize_t n = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;

	if (fd == -1)
		return (-1);
	while ((room = buf_room(text, 256 * KIB)) != NULL &&
	    (n = read(fd, room, 256 * KIB)) > 0)
		buf_grow(text, (size_t)n);
	error = errno;
	close(fd);
	errno = error;
	return (n == 0 ? 0 : -1);
}

/*
 * quirectl export, import, delete, and restore of one store: streams of
 * quire-export(5) between a file, or a backup at rest, and the broker.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_answer.h"
#include "broker/ctl_files.h"
#include "broker/durable.h"
#include "broker/doc_name.h"
#include "broker/export.h"

#define CTL_PIECE_BYTES (256u * 1024u)
/* What follows the hashed part: the last frame and the broker's word. */
#define CTL_TAIL_BYTES (EXPORT_HEAD_BYTES + CHAIN_BYTES + 5u)

/* The next piece of a stream in out: 1; 0: its end; -1: logged. */
typedef int ctl_source(void *arg, struct buf *out);

static int ctl_store_is_room(char **argv);
static int ctl_delete_typed(const char *store);
static int ctl_export_take(int in, int out);
static int ctl_export_whole(struct bytes tail, crypto_generichash_state *);
static int ctl_import_send(const struct ctl *, const char *store, int force,
    ctl_source *, void *arg);
static ctl_source ctl_source_file, ctl_source_export;

int
ctl_export(const struct ctl *ctl, int argc, char **argv)
{
	char *part;
	int fd, out, status = EX_IOERR;

	if (ctl_store_is_room(argv))
		return (ctl_room_export(ctl, argc, argv));
	if (argc != 3)
		return (ctl_usage(argv[0]));
	if (asprintf(&part, "%s.part", argv[2]) == -1)
		return (EX_OSERR);
	if ((out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
		 0600)) == -1) {
		log_warn("%s", part);
		free(part);
		return (EX_CANTCREAT);
	}
	if ((fd = ctl_dial(ctl, "export", argv[1])) < 0)
		status = -fd;
	else {
		status = ctl_export_take(fd, out);
		close(fd);
	}
	if (ctl_file_done(out) == -1)
		status = EX_IOERR;
	if (status == 0 && durable_rename(part, argv[2]) == -1) {
		log_warn("%s", argv[2]);
		status = EX_CANTCREAT;
	}
	if (status != 0)
		unlink(part);
	free(part);
	return (status);
}

int
ctl_import(const struct ctl *ctl, int argc, char **argv)
{
	int c, force = 0, fd, status;

	if (ctl_store_is_room(argv))
		return (ctl_room_import(ctl, argc, argv));
	while ((c = getopt(argc, argv, "f")) != -1) {
		if (c != 'f')
			return (ctl_usage(argv[0]));
		force = 1;
	}
	if (argc - optind != 2)
		return (ctl_usage(argv[0]));
	if ((fd = open(argv[optind + 1], O_RDONLY | O_CLOEXEC)) == -1) {
		log_warn("%s", argv[optind + 1]);
		return (ctl_exit_errno(errno));
	}
	status =
	    ctl_import_send(ctl, argv[optind], force, ctl_source_file, &fd);
	close(fd);
	return (status);
}

int
ctl_delete(const struct ctl *ctl, int argc, char **argv)
{
	const char *store;
	int c, sure = 0;

	while ((c = getopt(argc, argv, "y")) != -1) {
		if (c != 'y')
			return (ctl_usage(argv[0]));
		sure = 1;
	}
	if (argc - optind != 1)
		return (ctl_usage(argv[0]));
	store = argv[optind];
	if (!sure && !ctl_delete_typed(store)) {
		log_warnx("%s stays: that was not its name", store);
		return (EX_DATAERR);
	}
	return (ctl_job(ctl, argv[0], store));
}

/* Nothing brings it back, so its name is wanted a second time. */
static int
ctl_delete_typed(const char *store)
{
	char *line = NULL;
	size_t size = 0;
	int same;

	if (isatty(STDIN_FILENO))
		fprintf(stderr,
		    "%s goes for good.  Its name, once more: ", store);
	if ((same = getline(&line, &size, stdin) > 0)) {
		line[strcspn(line, "\n")] = '\0';
		same = strcmp(line, store) == 0;
	}
	free(line);
	return (same);
}

int
ctl_restore_store(const struct ctl *ctl, const char *dir, const char *store)
{
	struct buf mem = BUF_INIT;
	struct export *e;
	struct doc_id id;
	struct kv *kv;
	int status;

	if (doc_name_parse(bytes_str(store), &mem, &id) == -1) {
		log_warnx("%s: that is no name of a store", store);
		return (EX_USAGE);
	}
	if ((kv = ctl_kv_open(dir, 0, &status)) == NULL) {
		buf_free(&mem);
		return (status);
	}
	status = EX_OSERR;
	if ((e = export_new(kv, &id)) != NULL) {
		status = ctl_import_send(ctl, store, 1, ctl_source_export, e);
		export_free(e);
	}
	kv->ops->close(kv);
	buf_free(&mem);
	return (status);
}

/* -c, in full --canvas: a room of the original server's, see ctl_canvas.c. */
static int
ctl_store_is_room(char **argv)
{
	static char brief[] = "-c";

	if (argv[1] != NULL && strcmp(argv[1], "--canvas") == 0)
		argv[1] = brief;
	return (argv[1] != NULL && strcmp(argv[1], brief) == 0);
}

/* The end of the stream is held back until it is known to be the end. */
static int
ctl_export_take(int in, int out)
{
	crypto_generichash_state hash;
	struct buf b = BUF_INIT;
	uint64_t at = 0;
	size_t n;
	int r, status = EX_IOERR;

	crypto_generichash_init(&hash, NULL, 0, CHAIN_BYTES);
	while ((r = ctl_source_file(&in, &b)) == 1) {
		if (b.len <= CTL_TAIL_BYTES)
			continue;
		n = b.len - CTL_TAIL_BYTES;
		crypto_generichash_update(&hash, buf_bytes(&b).p, n);
		if (ctl_file_write(out, bytes_of(buf_bytes(&b).p, n), at) == -1)
			goto out;
		buf_drop(&b, n);
		at += n;
	}
	if (r == 0)
		status = ctl_export_whole(buf_bytes(&b), &hash);
	n = b.len - ctl_done(buf_bytes(&b));
	if (status == 0 &&
	    ctl_file_write(out, bytes_of(buf_bytes(&b).p, n), at) == -1)
		status = EX_IOERR;
out:
	buf_free(&b);
	return (status);
}

static int
ctl_export_whole(struct bytes tail, crypto_generichash_state *hash)
{
	uint8_t want[CHAIN_BYTES];

	crypto_generichash_final(hash, want, sizeof(want));
	if (tail.n == CTL_TAIL_BYTES && tail.p[0] == EXPORT_END &&
	    memcmp(tail.p + EXPORT_HEAD_BYTES, want, sizeof(want)) == 0 &&
	    ctl_done(tail) > 0)
		return (0);
	while (tail.n > 6 && !bytes_start(tail, BYTES_LIT("error ")))
		tail = bytes_skip(tail, 1);
	if (tail.n > 7)
		log_warnx("broker: %.*s", (int)tail.n - 7,
		    (const char *)tail.p + 6);
	else
		log_warnx("the broker went away");
	return (EX_DATAERR);
}

static int
ctl_import_send(const struct ctl *ctl, const char *store, int force,
    ctl_source *source, void *arg)
{
	struct buf piece = BUF_INIT;
	struct bytes b;
	char *words;
	ssize_t n = 0;
	int fd, r = 1;

	if (asprintf(&words, "%s%s", force ? "-f " : "", store) == -1)
		return (EX_OSERR);
	fd = ctl_dial(ctl, "import", words);
	free(words);
	if (fd < 0)
		return (-fd);
	/* When the broker takes no more, its last words say why. */
	while (n != -1 && (r = source(arg, &piece)) != -1) {
		for (b = buf_bytes(&piece); b.n > 0 && n != -1;)
			if ((n = send(fd, b.p, b.n, MSG_NOSIGNAL)) != -1)
				b = bytes_skip(b, (size_t)n);
		buf_clear(&piece);
		if (r == 0)
			break;
	}
	buf_free(&piece);
	if (r == -1) {
		close(fd);
		return (EX_DATAERR);
	}
	return (ctl_job_listen(fd));
}

static int
ctl_source_file(void *arg, struct buf *out)
{
	int fd = *(int *)arg;
	uint8_t *room;
	ssize_t n;

	if ((room = buf_room(out, CTL_PIECE_BYTES)) == NULL)
		return (-1);
	do
		n = read(fd, room, CTL_PIECE_BYTES);
	while (n == -1 && errno == EINTR);
	if (n == -1) {
		log_warn("read");
		return (-1);
	}
	buf_grow(out, (size_t)n);
	return (n > 0);
}

static int
ctl_source_export(void *arg, struct buf *out)
{
	int r = export_step(arg, out);

	if (r == -1)
		log_warnx("the store is not in that backup, or damaged");
	return (r);
}

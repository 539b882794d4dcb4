/*
 * quirectl backup: the broker sends a copy of its store, which is written here,
 * made whole from its log and verified, before it is called a backup.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/backup.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_files.h"
#include "broker/durable.h"

struct ctl_backup {
	FILE *in;
	int dir;
	int file; /* -1: none yet */
	uint8_t *frame;
};

static int ctl_backup_take(const struct ctl *, const char *dir);
static int ctl_backup_receive(FILE *, int dir);
static int ctl_backup_refused(FILE *);
static int ctl_backup_frame(struct ctl_backup *, char type, uint32_t n);
static int ctl_backup_open(struct ctl_backup *, uint32_t n);
static int ctl_backup_close(struct ctl_backup *);

int
ctl_backup(const struct ctl *ctl, int argc, char **argv)
{
	char *part;
	int status;

	if (argc != 2)
		return (ctl_usage(argv[0]));
	if (access(argv[1], F_OK) == 0) {
		log_warnx("%s: is there already", argv[1]);
		return (EX_CANTCREAT);
	}
	if (asprintf(&part, "%s.part", argv[1]) == -1)
		return (EX_OSERR);
	status = ctl_backup_take(ctl, part);
	if (status == 0)
		status = ctl_verify_dir(part, NULL, 1);
	if (status == 0 && durable_rename(part, argv[1]) == -1) {
		log_warn("%s", argv[1]);
		status = EX_CANTCREAT;
	}
	if (status != 0 && access(part, F_OK) == 0)
		log_warnx("%s: is no backup", part);
	free(part);
	return (status);
}

static int
ctl_backup_take(const struct ctl *ctl, const char *dir)
{
	int fd, at, status;
	FILE *in;

	if (mkdir(dir, 0700) == -1 ||
	    (at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1) {
		log_warn("%s", dir);
		return (EX_CANTCREAT);
	}
	if ((fd = ctl_dial(ctl, "backup", "")) < 0) {
		status = -fd;
		rmdir(dir); /* so that another try may begin */
	} else if ((in = fdopen(fd, "r")) == NULL) {
		status = EX_OSERR;
		close(fd);
	} else {
		status = ctl_backup_receive(in, at);
		fclose(in);
	}
	if (status == 0 && fsync(at) == -1) {
		log_warn("%s", dir);
		status = EX_IOERR;
	}
	close(at);
	return (status);
}

static int
ctl_backup_receive(FILE *in, int dir)
{
	struct ctl_backup b = { in, dir, -1, malloc(BACKUP_FRAME_MAX + 1) };
	uint8_t head[BACKUP_HEAD_BYTES];
	int status = b.frame == NULL ? EX_OSERR : -1;
	uint32_t n;

	while (status == -1) {
		n = (uint32_t)fread(head, 1, sizeof(head), in);
		if (n == sizeof(head) && memcmp(head, "error", n) == 0)
			status = ctl_backup_refused(in);
		else if (n != sizeof(head) ||
		    (n = be32_get(head + 1)) > BACKUP_FRAME_MAX ||
		    fread(b.frame, 1, n, in) != n) {
			log_warnx("the broker went away");
			status = EX_IOERR;
		} else
			status = ctl_backup_frame(&b, (char)head[0], n);
	}
	if (ctl_backup_close(&b) != -1)
		status = EX_IOERR;
	free(b.frame);
	return (status);
}

/* Before it began: a line, as other commands get. */
static int
ctl_backup_refused(FILE *in)
{
	char why[256];

	if (fgets(why, sizeof(why), in) == NULL)
		return (EX_IOERR);
	log_warnx("broker:%.*s", (int)strcspn(why, "\n"), why);
	return (EX_UNAVAILABLE);
}

/* -1: go on; else what to exit with. */
static int
ctl_backup_frame(struct ctl_backup *b, char type, uint32_t n)
{
	switch (type) {
	case 'F':
		return (ctl_backup_open(b, n));
	case 'D':
		if (n >= 8 && b->file != -1)
			return (ctl_file_write(b->file,
				    bytes_of(b->frame + 8, n - 8),
				    be64_get(b->frame)) == -1
				? EX_IOERR
				: -1);
		break;
	case 'E':
		return (0);
	case 'X':
		log_warnx("broker: %.*s", (int)n, (const char *)b->frame);
		return (EX_IOERR);
	}
	log_warnx("the broker says what is not understood");
	return (EX_PROTOCOL);
}

/* The name is the broker's: it may not lead elsewhere. */
static int
ctl_backup_open(struct ctl_backup *b, uint32_t n)
{
	char name[BACKUP_NAME_MAX + 1];

	if (ctl_backup_close(b) != -1)
		return (EX_IOERR);
	if (n == 0 || n > BACKUP_NAME_MAX || b->frame[0] == '.' ||
	    memchr(b->frame, '/', n) != NULL ||
	    memchr(b->frame, '\0', n) != NULL)
		return (EX_PROTOCOL);
	memcpy(name, b->frame, n);
	name[n] = '\0';
	b->file = openat(b->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	if (b->file != -1)
		return (-1);
	log_warn("%s", name);
	return (EX_CANTCREAT);
}

static int
ctl_backup_close(struct ctl_backup *b)
{
	int fd = b->file;

	b->file = -1;
	if (fd == -1)
		return (-1);
	return (ctl_file_done(fd) == -1 ? EX_IOERR : -1);
}

/* Takes files back to what a power cut would have left. */
#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "tests/lib/forget.h"
#include "tests/preload/disk.h"

#define FORGET_PAGE 4096u

static struct buf forget_notes(const char *);
static struct buf forget_read(const char *);
static unsigned long forget_file(const char *path, const char *name,
    struct bytes journal);
static struct bytes forget_note(struct bytes *, struct disk_note *);
static void forget_undo(struct buf *, struct bytes journal, uint64_t ino);
static void *forget_more(void *, size_t bytes);
static void forget_undo_one(struct buf *, const struct disk_note *,
    struct bytes);
static struct buf forget_mix(struct bytes now, struct bytes was, int log);
static void forget_size(struct buf *, size_t);

unsigned long
forget(const char *journal, const char *dir)
{
	struct buf notes = forget_notes(journal);
	unsigned long lost = 0;
	struct dirent *e;
	char path[1024];
	DIR *d;

	if ((d = opendir(dir)) == NULL)
		fatal(1, "%s", dir);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		lost += forget_file(path, e->d_name, buf_bytes(&notes));
	}
	closedir(d);
	buf_free(&notes);
	if (truncate(journal, 0) == -1)
		fatal(1, "%s", journal);
	return (lost);
}

/* Only as much as there is: the file is large and empty. */
static struct buf
forget_notes(const char *path)
{
	struct buf b = BUF_INIT;
	uint64_t n;
	uint8_t *room;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL || fread(&n, sizeof(n), 1, f) != 1 ||
	    (room = buf_room(&b, (size_t)n + 1)) == NULL ||
	    fread(room, 1, (size_t)n, f) != n)
		fatal(1, "%s", path);
	buf_grow(&b, (size_t)n);
	fclose(f);
	return (b);
}

static struct buf
forget_read(const char *path)
{
	struct buf b = BUF_INIT;
	uint8_t *room;
	size_t n;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		fatal(1, "%s", path);
	do {
		if ((room = buf_room(&b, 1 << 20)) == NULL)
			fatal(1, "%s", path);
		n = fread(room, 1, 1 << 20, f);
		buf_grow(&b, n);
	} while (n > 0);
	fclose(f);
	return (b);
}

static unsigned long
forget_file(const char *path, const char *name, struct bytes journal)
{
	struct buf now, was = BUF_INIT, mix;
	unsigned long lost = 0;
	struct stat st;
	size_t i;
	FILE *f;

	if (stat(path, &st) == -1 || !S_ISREG(st.st_mode))
		return (0);
	now = forget_read(path);
	buf_add_bytes(&was, buf_bytes(&now));
	forget_undo(&was, journal, st.st_ino);
	mix = forget_mix(buf_bytes(&now), buf_bytes(&was),
	    strncmp(name, "log.", 4) == 0);
	for (i = 0; i < now.len; i++)
		lost += i >= mix.len ||
		    buf_bytes(&now).p[i] != buf_bytes(&mix).p[i];
	if ((f = fopen(path, "r+")) == NULL ||
	    fwrite(buf_bytes(&mix).p, 1, mix.len, f) != mix.len ||
	    fflush(f) == EOF || ftruncate(fileno(f), (off_t)mix.len) == -1 ||
	    fclose(f) == EOF)
		fatal(1, "%s", path);
	buf_free(&now);
	buf_free(&was);
	buf_free(&mix);
	return (lost);
}

/* The next note and its old octets; p NULL: there is none that is whole. */
static struct bytes
forget_note(struct bytes *journal, struct disk_note *note)
{
	struct bytes old = BYTES_NONE;

	if (journal->n < sizeof(*note))
		return (old);
	memcpy(note, journal->p, sizeof(*note));
	if (journal->n - sizeof(*note) < note->old)
		return (old);
	old = bytes_of(journal->p + sizeof(*note), (size_t)note->old);
	*journal = bytes_skip(*journal, sizeof(*note) + old.n);
	return (old);
}

/* Back to front: the notes of the file since its last sync. */
static void
forget_undo(struct buf *file, struct bytes journal, uint64_t ino)
{
	struct disk_note *notes = NULL, note;
	struct bytes *olds = NULL, old;
	size_t n = 0;

	while ((old = forget_note(&journal, &note)).p != NULL) {
		if (note.ino != ino)
			continue;
		if (note.type == DISK_SYNC) {
			n = 0;
			continue;
		}
		if (n % 1024 == 0) {
			notes = forget_more(notes, (n + 1024) * sizeof(*notes));
			olds = forget_more(olds, (n + 1024) * sizeof(*olds));
		}
		notes[n] = note;
		olds[n++] = old;
	}
	while (n-- > 0)
		forget_undo_one(file, &notes[n], olds[n]);
	free(notes);
	free(olds);
}

static void *
forget_more(void *p, size_t bytes)
{
	void *more = realloc(p, bytes);

	if (more == NULL)
		fatal(1, "no memory");
	return (more);
}

static void
forget_undo_one(struct buf *file, const struct disk_note *note,
    struct bytes old)
{
	forget_size(file, (size_t)note->size);
	if (old.n > 0 && note->off + old.n <= file->len)
		memcpy(file->mem + file->off + note->off, old.p, old.n);
}

static void
forget_size(struct buf *b, size_t n)
{
	buf_trunc(b, n < b->len ? n : b->len);
	while (b->len < n)
		buf_add_u8(b, 0);
}

static struct buf
forget_mix(struct bytes now, struct bytes was, int log)
{
	struct buf mix = BUF_INIT;
	size_t most = now.n > was.n ? now.n : was.n, same = 0, cut, i, n;
	struct bytes from;

	while (same < now.n && same < was.n && now.p[same] == was.p[same])
		same++;
	cut = same;
	if (log && now.n > same && random() % 2 == 0)
		cut += (size_t)random() % (now.n - same);
	for (i = 0; i < most; i += n) {
		n = log ? (i < cut ? cut - i : most - i) : FORGET_PAGE;
		from = (log ? i < cut : random() % 2 == 0) ? now : was;
		if (i >= from.n)
			continue;
		forget_size(&mix, i);
		n = n > from.n - i ? from.n - i : n;
		buf_add_bytes(&mix, bytes_of(from.p + i, n));
		n = log ? n : FORGET_PAGE;
	}
	if (mix.failed)
		fatal(1, "no memory");
	return (mix);
}

/*
 * disk: preloaded into the broker, a disk that can be told to be bad.
 *
 *   DISK_JOURNAL=file   notes what each write covers until it is synced, so
 *                       that tests/lib/forget.c can take a disk back to what a
 *                       power cut would have left
 *   DISK_FAULT=N:KIND   the Nth write, truncation or sync of a data file fails:
 *                       EIO, ENOSPC, EINTR, short (half is written)
 *   DISK_ALLOC=N        the Nth allocation finds no memory
 *   DISK_FORKED=N       the Nth of a child does; each child counts for itself
 *   DISK_COUNT=file     there it stands how many of both there were, and a
 *                       test may say when the next allocation is to fail:
 *                       struct disk_count
 *
 * Data files are regular ones whose name has ".db" in it or begins with "log.".
 * Names are seen at open.  Both files are mapped: a broker closes descriptors
 * that it does not know.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/preload/disk.h"

#define DISK_FDS 1024

enum disk_fault {
	FAULT_NONE,
	FAULT_EIO,
	FAULT_ENOSPC,
	FAULT_EINTR,
	FAULT_SHORT
};

static struct {
	int (*open)(const char *, int, ...);
	ssize_t (*write)(int, const void *, size_t);
	ssize_t (*pwrite)(int, const void *, size_t, off_t);
	int (*ftruncate)(int, off_t);
	int (*fsync)(int);
	int (*fdatasync)(int);
	int (*close)(int);
} real;

static pthread_mutex_t disk_mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned char disk_data[DISK_FDS]; /* the descriptor is a data file's */
static uint8_t *disk_journal; /* its length in 8 octets, then the notes */
static unsigned long disk_calls, disk_at;
static enum disk_fault disk_kind;
static atomic_ulong disk_allocs;
static unsigned long disk_alloc_at, disk_forked_at;
static int disk_child;
static struct disk_count *disk_counter;

/* Not the library's names: its headers may map them to others. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static void *disk_map(const char *, size_t);
static int disk_is(int);
static int disk_zeros(const unsigned char *, size_t);
static enum disk_fault disk_next(void);
static int disk_fail(enum disk_fault);
static void disk_note(int, enum disk_note_type, off_t, size_t);
static void disk_forked(void);
static int disk_full(void);
static int disk_starves(void);

__attribute__((constructor)) static void
disk_begin(void)
{
	const char *journal = getenv("DISK_JOURNAL"),
		   *fault = getenv("DISK_FAULT"), *count = getenv("DISK_COUNT"),
		   *alloc = getenv("DISK_ALLOC"),
		   *forked = getenv("DISK_FORKED");
	static const struct {
		const char *name;
		enum disk_fault kind;
	} kinds[] = { { "EIO", FAULT_EIO }, { "ENOSPC", FAULT_ENOSPC },
		{ "EINTR", FAULT_EINTR }, { "short", FAULT_SHORT } };
	const char *colon;
	size_t i;

	*(void **)&real.open = dlsym(RTLD_NEXT, "open");
	*(void **)&real.write = dlsym(RTLD_NEXT, "write");
	*(void **)&real.pwrite = dlsym(RTLD_NEXT, "pwrite");
	*(void **)&real.ftruncate = dlsym(RTLD_NEXT, "ftruncate");
	*(void **)&real.fsync = dlsym(RTLD_NEXT, "fsync");
	*(void **)&real.fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	*(void **)&real.close = dlsym(RTLD_NEXT, "close");
	if (journal != NULL)
		disk_journal = disk_map(journal, DISK_JOURNAL_BYTES);
	if (count != NULL)
		disk_counter = disk_map(count, sizeof(*disk_counter));
	if (fault != NULL && (colon = strchr(fault, ':')) != NULL) {
		disk_at = strtoul(fault, NULL, 10);
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (strcmp(colon + 1, kinds[i].name) == 0)
				disk_kind = kinds[i].kind;
	}
	/* glibc 2.36 does not survive a first look at users without memory. */
	if (alloc != NULL || forked != NULL)
		(void)getpwnam("root");
	if (alloc != NULL)
		disk_alloc_at = strtoul(alloc, NULL, 10);
	if (forked != NULL)
		disk_forked_at = strtoul(forked, NULL, 10);
	pthread_atfork(NULL, NULL, disk_forked);
}

static void *
disk_map(const char *path, size_t n)
{
	int fd = real.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	void *p;

	if (fd == -1 || real.ftruncate(fd, (off_t)n) == -1)
		abort();
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	real.close(fd);
	if (p == MAP_FAILED)
		abort();
	return (p);
}

int
open(const char *path, int flags, ...)
{
	const char *name = strrchr(path, '/');
	mode_t mode = 0;
	va_list ap;
	int fd;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	fd = real.open(path, flags, mode);
	name = name == NULL ? path : name + 1;
	if (fd >= 0 && fd < DISK_FDS)
		disk_data[fd] = strstr(name, ".db") != NULL ||
		    strncmp(name, "__db.", 5) == 0 ||
		    strncmp(name, "log.", 4) == 0;
	return (fd);
}

int
open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	if ((flags & O_CREAT) != 0) {
		va_start(ap, flags);
		mode = va_arg(ap, mode_t);
		va_end(ap);
	}
	return (open(path, flags, mode));
}

int
close(int fd)
{
	if (fd >= 0 && fd < DISK_FDS)
		disk_data[fd] = 0;
	return (real.close(fd));
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t off)
{
	enum disk_fault fault;
	ssize_t r;

	if (!disk_is(fd))
		return (real.pwrite(fd, p, n, off));
	pthread_mutex_lock(&disk_mutex);
	if ((fault = disk_next()) == FAULT_SHORT && n > 1)
		n /= 2;
	if (disk_fail(fault) == -1)
		r = -1;
	else {
		disk_note(fd, DISK_WRITE, off, n);
		r = real.pwrite(fd, p, n, off);
	}
	pthread_mutex_unlock(&disk_mutex);
	return (r);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t off)
{
	return (pwrite(fd, p, n, off));
}

ssize_t
write(int fd, const void *p, size_t n)
{
	enum disk_fault fault;
	ssize_t r;

	if (!disk_is(fd))
		return (real.write(fd, p, n));
	pthread_mutex_lock(&disk_mutex);
	fault = disk_zeros(p, n) ? FAULT_NONE : disk_next();
	if (fault == FAULT_SHORT && n > 1)
		n /= 2;
	if (disk_fail(fault) == -1)
		r = -1;
	else {
		disk_note(fd, DISK_WRITE, lseek(fd, 0, SEEK_CUR), n);
		r = real.write(fd, p, n);
	}
	pthread_mutex_unlock(&disk_mutex);
	return (r);
}

int
ftruncate(int fd, off_t size)
{
	struct stat st;
	int r;

	if (!disk_is(fd))
		return (real.ftruncate(fd, size));
	pthread_mutex_lock(&disk_mutex);
	if ((r = disk_fail(disk_next())) == 0) {
		if (fstat(fd, &st) == 0 && st.st_size > size)
			disk_note(fd, DISK_WRITE, size,
			    (size_t)(st.st_size - size));
		r = real.ftruncate(fd, size);
	}
	pthread_mutex_unlock(&disk_mutex);
	return (r);
}

int
ftruncate64(int fd, off_t size)
{
	return (ftruncate(fd, size));
}

int
fdatasync(int fd)
{
	int r;

	if (!disk_is(fd))
		return (real.fdatasync(fd));
	pthread_mutex_lock(&disk_mutex);
	if ((r = disk_fail(disk_next())) == 0 && (r = real.fdatasync(fd)) == 0)
		disk_note(fd, DISK_SYNC, 0, 0);
	pthread_mutex_unlock(&disk_mutex);
	return (r);
}

int
fsync(int fd)
{
	return (disk_is(fd) ? fdatasync(fd) : real.fsync(fd));
}

void *
malloc(size_t n)
{
	return (disk_full() ? NULL : __libc_malloc(n));
}

void *
calloc(size_t m, size_t n)
{
	return (disk_full() ? NULL : __libc_calloc(m, n));
}

void *
realloc(void *p, size_t n)
{
	return (disk_full() ? NULL : __libc_realloc(p, n));
}

static int
disk_is(int fd)
{
	return (fd >= 0 && fd < DISK_FDS && disk_data[fd]);
}

static enum disk_fault
disk_next(void)
{
	disk_calls++;
	if (disk_counter != NULL)
		disk_counter->calls = disk_calls;
	return (disk_calls == disk_at ? disk_kind : FAULT_NONE);
}

/* The library clears the rest of a log file page by page: not counted. */
static int
disk_zeros(const unsigned char *p, size_t n)
{
	return (n > 0 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static int
disk_fail(enum disk_fault fault)
{
	if (fault == FAULT_NONE || fault == FAULT_SHORT)
		return (0);
	errno = fault == FAULT_EIO  ? EIO
	    : fault == FAULT_ENOSPC ? ENOSPC
				    : EINTR;
	return (-1);
}

/* A kill leaves a note whole or not there: the length is moved last. */
static void
disk_note(int fd, enum disk_note_type type, off_t off, size_t n)
{
	struct disk_note note = { .type = type };
	struct stat st;
	uint64_t used;
	uint8_t *at;
	ssize_t old = 0;

	if (disk_journal == NULL || fstat(fd, &st) == -1)
		return;
	memcpy(&used, disk_journal, sizeof(used));
	if (used + sizeof(note) + n + sizeof(used) > DISK_JOURNAL_BYTES)
		abort();
	at = disk_journal + sizeof(used) + used;
	if (n > 0)
		old = pread(fd, at + sizeof(note), n, off);
	note.ino = st.st_ino;
	note.size = (uint64_t)st.st_size;
	note.off = (uint64_t)off;
	note.n = n;
	note.old = old > 0 ? (uint64_t)old : 0;
	memcpy(at, &note, sizeof(note));
	used += sizeof(note) + note.old;
	atomic_thread_fence(memory_order_seq_cst);
	memcpy(disk_journal, &used, sizeof(used));
}

static void
disk_forked(void)
{
	disk_child = 1;
	disk_alloc_at = disk_forked_at;
	atomic_store(&disk_allocs, 0);
}

static int
disk_full(void)
{
	unsigned long n = atomic_fetch_add(&disk_allocs, 1) + 1;
	int full = n == disk_alloc_at;
	uint64_t *most;

	if (disk_counter != NULL) {
		most =
		    disk_child ? &disk_counter->forked : &disk_counter->allocs;
		*most = n > *most ? n : *most;
		full |= disk_starves();
	}
	if (full)
		errno = ENOMEM;
	return (full);
}

static int
disk_starves(void)
{
	uint64_t left = atomic_load(&disk_counter->starve);

	while (left > 0 &&
	    !atomic_compare_exchange_weak(&disk_counter->starve, &left,
		left - 1))
		continue;
	return (left == 1);
}

/*
 * Landlock: no file, no TCP port, no signal to a stranger, but for what the
 * plan names.  Everything that the running kernel can deny is denied; the
 * constants are our own, since headers lag years behind kernels.
 *
 * Descriptors that are open stay usable, and so does connecting to a Unix
 * socket by its path, which Landlock does not know.
 */
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sandbox_layers.h"

/* The same numbers on every architecture. */
#define LANDLOCK_SYS_CREATE   444
#define LANDLOCK_SYS_ADD      445
#define LANDLOCK_SYS_RESTRICT 446

#define LANDLOCK_ASK_VERSION  1u
#define LANDLOCK_PATH_BENEATH 1

#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR    (UINT64_C(1) << 7)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_MAKE_FIFO   (UINT64_C(1) << 10)
#define FS_REFER       (UINT64_C(1) << 13)
#define FS_TRUNCATE    (UINT64_C(1) << 14)

/* What an object that is no directory can be granted. */
#define FS_OF_FILES (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)
#define FS_READ	    (FS_READ_FILE | FS_READ_DIR)
#define FS_DATA                                                                \
	(FS_READ | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE |            \
	    FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_FIFO | FS_REFER | FS_TRUNCATE)

/* A kernel that knows less takes a longer struct if the rest of it is 0. */
struct landlock_ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* Packed, as the kernel has it. */
struct landlock_beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* What each version of the interface added. */
static const struct {
	int abi;
	struct landlock_ruleset adds;
} landlock_steps[] = {
	{ 1, { 0x1fff, 0, 0 } },      /* files, Linux 5.13 */
	{ 2, { FS_REFER, 0, 0 } },    /* links to other directories, 5.19 */
	{ 3, { FS_TRUNCATE, 0, 0 } }, /* 6.2 */
	{ 4, { 0, 3, 0 } },	      /* TCP bind and connect, 6.7 */
	{ 5, { 0x8000, 0, 0 } },      /* ioctl on devices, 6.10 */
	{ 6, { 0, 0, 3 } },	      /* abstract sockets, signals, 6.12 */
};

#define LANDLOCK_STEPS (sizeof(landlock_steps) / sizeof(landlock_steps[0]))

static int landlock_version(void);
static struct landlock_ruleset landlock_known(int);
static int landlock_allow_all(int, const struct sandbox_plan *, const char *,
    uint64_t);
static int landlock_allow(int, const char *, uint64_t);

int
sandbox_landlock_create(const struct sandbox_plan *plan, const char *data_dir,
    int *abi)
{
	struct landlock_ruleset set;
	int fd, error;

	if ((*abi = landlock_version()) == 0)
		return (-1);
	set = landlock_known(*abi);
	if (plan->network)
		set.net = 0;
	fd = (int)syscall(LANDLOCK_SYS_CREATE, &set, sizeof(set), 0);
	if (fd == -1)
		return (-1);
	if (landlock_allow_all(fd, plan, data_dir, set.fs) == -1) {
		error = errno;
		(void)close(fd);
		errno = error;
		return (-1);
	}
	return (fd);
}

int
sandbox_landlock_enforce(int ruleset)
{
	return (syscall(LANDLOCK_SYS_RESTRICT, ruleset, 0) == 0 ? 0 : -1);
}

/* 0: there is none.  A listener has asked for all of its workers. */
static int
landlock_version(void)
{
	static int version;

	if (version < 1)
		version = (int)syscall(LANDLOCK_SYS_CREATE, NULL, 0,
		    LANDLOCK_ASK_VERSION);
	return (version < 1 ? 0 : version);
}

static struct landlock_ruleset
landlock_known(int abi)
{
	struct landlock_ruleset set = { 0, 0, 0 };
	size_t i;

	for (i = 0; i < LANDLOCK_STEPS && landlock_steps[i].abi <= abi; i++) {
		set.fs |= landlock_steps[i].adds.fs;
		set.net |= landlock_steps[i].adds.net;
		set.scoped |= landlock_steps[i].adds.scoped;
	}
	return (set);
}

static int
landlock_allow_all(int ruleset, const struct sandbox_plan *plan,
    const char *data_dir, uint64_t handled)
{
	const char *const *path;

	if (data_dir != NULL &&
	    landlock_allow(ruleset, data_dir, FS_DATA & handled) == -1)
		return (-1);
	for (path = plan->readable; path != NULL && *path != NULL; path++)
		if (landlock_allow(ruleset, *path, FS_READ & handled) == -1)
			return (-1);
	return (0);
}

static int
landlock_allow(int ruleset, const char *path, uint64_t allowed)
{
	struct landlock_beneath rule;
	struct stat st;
	int fd, r = -1, error;

	if ((fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return (-1);
	if (fstat(fd, &st) == 0) {
		rule.allowed =
		    S_ISDIR(st.st_mode) ? allowed : allowed & FS_OF_FILES;
		rule.parent_fd = fd;
		r = (int)syscall(LANDLOCK_SYS_ADD, ruleset,
		    LANDLOCK_PATH_BENEATH, &rule, 0);
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return (r == 0 ? 0 : -1);
}

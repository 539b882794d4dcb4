/*
 * Runs a fuzz target over the files of its corpus, without libFuzzer: the
 * regression half of fuzzing, for any compiler.  It generates nothing.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static void main_directory(const char *);
static void main_file(int, size_t, const char *);

static size_t inputs;

int
main(int argc, char *argv[])
{
	int i;

	if (argc < 2)
		errx(64, "usage: %s directory ...", argv[0]);
	for (i = 1; i < argc; i++)
		main_directory(argv[i]);
	if (inputs == 0)
		errx(1, "no inputs, so nothing was tested");
	printf("%zu inputs\n", inputs);
	return (0);
}

static void
main_directory(const char *path)
{
	struct dirent *e;
	struct stat st;
	DIR *dir;
	int fd;

	if ((dir = opendir(path)) == NULL)
		err(1, "%s", path);
	while ((e = readdir(dir)) != NULL) {
		fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_CLOEXEC);
		if (fd == -1 || fstat(fd, &st) == -1)
			err(1, "%s/%s", path, e->d_name);
		if (S_ISREG(st.st_mode))
			main_file(fd, (size_t)st.st_size, e->d_name);
		close(fd);
	}
	closedir(dir);
}

/* The copy is exactly as long as the input, so that ASan sees an overread. */
static void
main_file(int fd, size_t size, const char *name)
{
	uint8_t *data;

	if ((data = malloc(size)) == NULL && size > 0)
		err(1, "%s", name);
	if (read(fd, data, size) != (ssize_t)size)
		err(1, "%s", name);
	/* Said before, so that a crash's log names the input. */
	printf("%s\n", name);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	inputs++;
	free(data);
}

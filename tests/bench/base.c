/*
 * base: what the machine itself can do, for the figures that are ratios to it.
 *
 *	base sync DIRECTORY N	  write and fdatasync of 100 octets
 *	base sqlite DIRECTORY N	  the same as rows, a transaction each (WAL,
 *				  synchronous=FULL)
 *	base tcp MIB		  over a loopback connection, in 64 KiB
 *	base fork N		  accept, fork, a word, exit
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/load_cost.h"

#define BASE_BYTES 100
#define BASE_BLOCK 65536
#define BASE_MOST  100000

struct sqlite_api {
	int (*open)(const char *, void **);
	int (*exec)(void *, const char *,
	    int (*)(void *, int, char **, char **), void *, char **);
	int (*prepare)(void *, const char *, int, void **, const char **);
	int (*bind)(void *, int, const void *, int, void (*)(void *));
	int (*step)(void *);
	int (*reset)(void *);
	int (*close)(void *);
};

static void base_sync(const char *dir, int n);
static void base_sqlite(const char *dir, int n);
static void base_tcp(int mib);
static void base_fork(int n);
static int base_listen(struct sockaddr_in *);
static int base_connect(const struct sockaddr_in *);
static void base_path(char *to, size_t n, const char *dir, const char *name);
static void base_symbol(void *library, const char *name, void *to);
static void base_print(int n);
static int base_compare(const void *, const void *);

static double took[BASE_MOST];

int
main(int argc, char **argv)
{
	if (argc == 4 && atoi(argv[3]) <= BASE_MOST) {
		if (strcmp(argv[1], "sync") == 0) {
			base_sync(argv[2], atoi(argv[3]));
			return (0);
		}
		if (strcmp(argv[1], "sqlite") == 0) {
			base_sqlite(argv[2], atoi(argv[3]));
			return (0);
		}
	} else if (argc == 3 && strcmp(argv[1], "tcp") == 0) {
		base_tcp(atoi(argv[2]));
		return (0);
	} else if (argc == 3 && strcmp(argv[1], "fork") == 0) {
		base_fork(atoi(argv[2]));
		return (0);
	}
	errx(2, "usage: base sync|sqlite DIRECTORY N | tcp MIB | fork N");
}

static void
base_sync(const char *dir, int n)
{
	char path[512];
	const char data[BASE_BYTES] = { 0 };
	double t;
	int fd, i;

	base_path(path, sizeof(path), dir, "sync");
	if ((fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600)) == -1)
		err(1, "%s", path);
	for (i = 0; i < n; i++) {
		t = cost_now_s();
		if (write(fd, data, sizeof(data)) != sizeof(data) ||
		    fdatasync(fd) == -1)
			err(1, "%s", path);
		took[i] = cost_now_s() - t;
	}
	close(fd);
	unlink(path);
	base_print(n);
}

static void
base_sqlite(const char *dir, int n)
{
	static const char *const leftovers[] = { "sqlite", "sqlite-wal",
		"sqlite-shm" };
	void *library = dlopen("libsqlite3.so.0", RTLD_NOW), *db, *insert;
	const char data[BASE_BYTES] = { 0 };
	struct sqlite_api api;
	char path[512];
	double t;
	size_t k;
	int i;

	if (library == NULL)
		errx(1, "%s", dlerror());
	base_symbol(library, "sqlite3_open", &api.open);
	base_symbol(library, "sqlite3_exec", &api.exec);
	base_symbol(library, "sqlite3_prepare_v2", &api.prepare);
	base_symbol(library, "sqlite3_bind_blob", &api.bind);
	base_symbol(library, "sqlite3_step", &api.step);
	base_symbol(library, "sqlite3_reset", &api.reset);
	base_symbol(library, "sqlite3_close_v2", &api.close);
	base_path(path, sizeof(path), dir, "sqlite");
	if (api.open(path, &db) != 0 ||
	    api.exec(db,
		"pragma journal_mode = wal; pragma synchronous = full;"
		"create table log (n integer primary key, data blob)",
		NULL, NULL, NULL) != 0 ||
	    api.prepare(db, "insert into log (data) values (?)", -1, &insert,
		NULL) != 0)
		errx(1, "sqlite: cannot be made ready");
	for (i = 0; i < n; i++) {
		t = cost_now_s();
		if (api.bind(insert, 1, data, sizeof(data), NULL) != 0 ||
		    api.step(insert) != 101 || api.reset(insert) != 0)
			errx(1, "sqlite: insert");
		took[i] = cost_now_s() - t;
	}
	api.close(db);
	for (k = 0; k < 3; k++) {
		base_path(path, sizeof(path), dir, leftovers[k]);
		unlink(path);
	}
	base_print(n);
}

static void
base_tcp(int mib)
{
	static char block[BASE_BLOCK];
	struct sockaddr_in sin;
	size_t left = (size_t)mib * 1024 * 1024;
	int listener = base_listen(&sin), from, to;
	ssize_t n;
	double t;

	to = base_connect(&sin);
	if ((from = accept(listener, NULL, NULL)) == -1)
		err(1, "accept");
	t = cost_now_s();
	if (fork() == 0) {
		for (; left > 0; left -= (size_t)n)
			if ((n = write(to, block,
				 left < BASE_BLOCK ? left : BASE_BLOCK)) <= 0)
				_exit(1);
		_exit(0);
	}
	for (; left > 0; left -= (size_t)n)
		if ((n = read(from, block, BASE_BLOCK)) <= 0)
			err(1, "read");
	printf("mb_per_s=%.1f\n", (double)mib * 1.048576 / (cost_now_s() - t));
	wait(NULL);
}

/* What a process for each connection costs at least. */
static void
base_fork(int n)
{
	struct sockaddr_in sin;
	int listener = base_listen(&sin), fd, i;
	pid_t server;
	double t;
	char c;

	if ((server = fork()) == 0)
		for (;;) {
			if ((fd = accept(listener, NULL, NULL)) == -1)
				continue;
			if (fork() == 0)
				_exit(write(fd, "", 1) == 1 ? 0 : 1);
			close(fd);
			while (waitpid(-1, NULL, WNOHANG) > 0)
				continue;
		}
	t = cost_now_s();
	for (i = 0; i < n; i++) {
		fd = base_connect(&sin);
		if (read(fd, &c, 1) != 1)
			err(1, "read");
		close(fd);
	}
	printf("per_s=%.0f\n", n / (cost_now_s() - t));
	kill(server, SIGKILL);
	wait(NULL);
}

static int
base_listen(struct sockaddr_in *sin)
{
	socklen_t n = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)sin, n) == -1 ||
	    listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)sin, &n) == -1)
		err(1, "listen");
	return (fd);
}

static int
base_connect(const struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd == -1 ||
	    connect(fd, (const struct sockaddr *)sin, sizeof(*sin)) == -1)
		err(1, "connect");
	return (fd);
}

static void
base_path(char *to, size_t n, const char *dir, const char *name)
{
	snprintf(to, n, "%s/bench-%ld-%s", dir, (long)getpid(), name);
}

/* A function's address through an object's, as dlsym has it. */
static void
base_symbol(void *library, const char *name, void *to)
{
	void *p = dlsym(library, name);

	if (p == NULL)
		errx(1, "sqlite: no %s", name);
	memcpy(to, &p, sizeof(p));
}

static void
base_print(int n)
{
	double all = 0;
	int i;

	for (i = 0; i < n; i++)
		all += took[i];
	qsort(took, (size_t)n, sizeof(took[0]), base_compare);
	printf("per_s=%.0f p50_us=%.1f p99_us=%.1f\n", n / all,
	    took[n / 2] * 1e6, took[(size_t)(n * 0.99)] * 1e6);
}

static int
base_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

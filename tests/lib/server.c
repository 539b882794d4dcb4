/*
 * Starts and ends the programs under test.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <netinet/in.h>

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "broker/token.h"
#include "tests/lib/server.h"

#define SERVER_READY_FD	   3
#define SERVER_RUNNING_MAX 8
#define LISTENER_LIMITS	   12 /* where they begin in its arguments */

/* What was started and has not been waited for, and by whom. */
static pid_t running[SERVER_RUNNING_MAX];
static pid_t starter;
#define SERVER_USER "nobody" /* where we are root */

static char *server_mint(const struct server *, struct token_mint *, int64_t);
static const char *server_level(void);
static unsigned int server_port_free(void);
static int server_limits(const char *conf);
static pid_t server_spawn(const char *const *, const char *const *);
static void server_watch(pid_t);
static void server_forget(pid_t);
static void server_orphans(void);
static void server_interrupted(int);
static void server_child(const char *const *, int);
static void server_crashed(int, const char *const *);
static void server_end(pid_t *, const char *, int, const char *const *);
static int server_unlink(const char *, const struct stat *, int, struct FTW *);

void
server_make(struct server *s)
{
	char *keys, line[512];

	memset(s, 0, sizeof(*s));
	s->broker = s->listener = -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/quire.XXXXXX");
	/* The worker's user must get to the sockets in it. */
	if (mkdtemp(s->dir) == NULL || chmod(s->dir, 0711) == -1)
		fatal(1, "%s", s->dir);
	s->port = server_port_free();
	keys = server_path(s, "keys");
	if (keyring_generate(keys, KEY_HS256, "") == -1)
		fatal(1, "%s", keys);
	free(keys);
	snprintf(line, sizeof(line),
	    "data %s/data\nsocket %s/broker.sock\ncontrol %s/control.sock\n"
	    "keys %s/keys\nuser %s\nsandbox %s",
	    s->dir, s->dir, s->dir, s->dir,
	    geteuid() == 0 ? SERVER_USER : "\"\"", server_level());
	server_setting(s, line);
	if (geteuid() == 0)
		server_setting(s, "worker_user " SERVER_USER);
	snprintf(line, sizeof(line), "%s/data", s->dir);
	if (mkdir(line, 0700) == -1)
		fatal(1, "%s", line);
}

void
server_beside(struct server *s, const struct server *first)
{
	*s = *first;
	s->broker = s->listener = -1;
	s->port = server_port_free();
}

void
server_setting(const struct server *s, const char *line)
{
	char *path = server_path(s, "conf");
	FILE *f = fopen(path, "a");

	if (f == NULL || fprintf(f, "%s\n", line) < 0 || fclose(f) == EOF)
		fatal(1, "%s", path);
	free(path);
}

void
server_start(struct server *s, enum server_part parts)
{
	char *conf = server_path(s, "conf");
	char *sock = server_path(s, "broker.sock");
	char address[32];
	const char *broker[] = { "quired", "-d", "-f", conf, "-r", "3", NULL };
	const char *listener[] = { "quire-worker", "-d", "-s", sock, "-l",
		address, "-r", "3", "-u", SERVER_USER, "-S", server_level(),
		"-m", "20000", "-M", "20000", NULL };

	snprintf(address, sizeof(address), "127.0.0.1:%u", s->port);
	if (server_limits(conf))
		listener[LISTENER_LIMITS] = NULL;
	if ((parts & SERVER_BROKER) != 0 && s->broker == -1)
		s->broker = server_spawn(broker, s->environment);
	if ((parts & SERVER_LISTENER) != 0 && s->listener == -1)
		s->listener = server_spawn(listener, s->listener_environment);
	free(conf);
	free(sock);
}

/* 1: the test is about the limits of a listener. */
static int
server_limits(const char *conf)
{
	FILE *f = fopen(conf, "r");
	char line[512];
	int found = 0;

	if (f == NULL)
		fatal(1, "%s", conf);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strncmp(line, "connections_max", 15) == 0 ||
		    strncmp(line, "per_address_max", 15) == 0;
	fclose(f);
	return (found);
}

int
server_gone(struct server *s)
{
	int status;

	if (s->broker == -1)
		return (1);
	if (waitpid(s->broker, &status, WNOHANG) != s->broker)
		return (0);
	server_forget(s->broker);
	server_crashed(status, s->environment);
	s->broker = -1;
	return (1);
}

void
server_reap(struct server *s)
{
	while (waitpid(s->broker, NULL, 0) == -1)
		if (errno != EINTR)
			fatal(1, "wait for quired");
	server_forget(s->broker);
	s->broker = -1;
}

/* Whatever fails: an end is one of its own making. */
static void
server_crashed(int status, const char *const *environment)
{
	if (WIFSIGNALED(status))
		fatalx(1, "quired ended with signal %d: %s %s",
		    WTERMSIG(status), environment[0], environment[1]);
}

/* The listener first: its clients are told, then the broker flushes. */
void
server_stop(struct server *s, enum server_part parts, int killed)
{
	if ((parts & SERVER_LISTENER) != 0)
		server_end(&s->listener, "quire-worker", killed, NULL);
	if ((parts & SERVER_BROKER) != 0)
		server_end(&s->broker, "quired", killed, s->environment);
}

void
server_remove(struct server *s)
{
	if (nftw(s->dir, server_unlink, 16, FTW_DEPTH | FTW_PHYS) == -1)
		fatal(1, "%s", s->dir);
}

char *
server_token(const struct server *s, const char *store, const char *scope,
    int64_t ttl_s)
{
	struct bytes aud = bytes_str(store);
	struct token_mint mint = { .sub = BYTES_LIT("test"),
		.aud = &aud,
		.aud_n = 1,
		.scope = scope_parse(bytes_str(scope)) };

	return (server_mint(s, &mint, ttl_s));
}

char *
server_user(const struct server *s, const char *subject, const char *extra)
{
	struct bytes aud = BYTES_LIT("*");
	struct token_mint mint = { .sub = bytes_str(subject),
		.aud = &aud,
		.aud_n = 1,
		.scope = SCOPE_WRITE,
		.extra = bytes_str(extra) };

	return (server_mint(s, &mint, 3600));
}

static char *
server_mint(const struct server *s, struct token_mint *mint, int64_t ttl_s)
{
	char *path = server_path(s, "keys"), *text;
	struct keyring *ring = keyring_load(path);
	struct buf out = BUF_INIT;

	mint->iat = (int64_t)time(NULL);
	mint->exp = ttl_s == 0 ? INT64_MAX : mint->iat + ttl_s;
	if (ring == NULL || token_mint(ring, NULL, mint, &out) == -1)
		fatal(1, "token");
	text = strndup((const char *)buf_bytes(&out).p, out.len);
	buf_free(&out);
	keyring_free(ring);
	free(path);
	return (text);
}

char *
server_path(const struct server *s, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", s->dir, name) == -1)
		fatal(1, "no memory");
	return (path);
}

uint64_t
server_rss_kib(pid_t pid)
{
	char path[64], line[256];
	unsigned long long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	if ((f = fopen(path, "r")) == NULL)
		return (0);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %llu", &kib) == 1)
			break;
	fclose(f);
	return (kib);
}

/* Root can have every part of a sandbox, so there it must stand. */
static const char *
server_level(void)
{
	const char *level = getenv("QUIRE_SANDBOX");

	if (level != NULL)
		return (level);
	return (geteuid() == 0 ? "require" : "best-effort");
}

/* Free a moment ago: the best there is without the programs' help. */
static unsigned int
server_port_free(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t size = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &size) == -1)
		fatal(1, "no free port");
	close(fd);
	return (ntohs(sin.sin_port));
}

/* A program writes an octet to its readiness descriptor, or dies. */
static pid_t
server_spawn(const char *const *argv, const char *const *environment)
{
	int ready[2];
	int status = 0;
	char octet;
	ssize_t n;
	size_t i;
	pid_t pid;

	if (pipe(ready) == -1 || (pid = fork()) == -1)
		fatal(1, "%s", argv[0]);
	if (pid == 0) {
		close(ready[0]);
		for (i = 0; environment != NULL && environment[i] != NULL; i++)
			putenv(strdup(environment[i]));
		server_child(argv, ready[1]);
	}
	setpgid(pid, pid);
	server_watch(pid);
	close(ready[1]);
	while ((n = read(ready[0], &octet, 1)) == -1 && errno == EINTR)
		;
	close(ready[0]);
	if (n != 1 && environment != NULL && *environment != NULL) {
		while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
			;
		server_forget(pid);
		server_crashed(status, environment);
		return (-1);
	}
	if (n != 1)
		fatalx(1, "%s did not start", argv[0]);
	return (pid);
}

/*
 * A test that fails or is interrupted leaves nothing behind: who changes its
 * user has lost the signal that a parent's death would be.
 */
static void
server_watch(pid_t pid)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = server_interrupted }, was;
	size_t i;

	if (starter != getpid()) {
		starter = getpid();
		memset(running, 0, sizeof(running));
		atexit(server_orphans);
		sigemptyset(&sa.sa_mask);
		for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			if (sigaction(signals[i], NULL, &was) == 0 &&
			    was.sa_handler == SIG_DFL)
				sigaction(signals[i], &sa, NULL);
	}
	for (i = 0; i < SERVER_RUNNING_MAX && running[i] > 0; i++)
		continue;
	if (i == SERVER_RUNNING_MAX)
		fatalx(1, "more than %d programs", SERVER_RUNNING_MAX);
	running[i] = pid;
}

static void
server_forget(pid_t pid)
{
	size_t i;

	for (i = 0; i < SERVER_RUNNING_MAX; i++)
		running[i] = running[i] == pid ? 0 : running[i];
}

static void
server_orphans(void)
{
	size_t i;

	for (i = 0; i < SERVER_RUNNING_MAX; i++)
		if (running[i] > 0 && getpid() == starter)
			kill(-running[i], SIGKILL);
}

static void
server_interrupted(int sig)
{
	server_orphans();
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
server_child(const char *const *argv, int ready)
{
	const char *dir = getenv("QUIRE_B");
	char path[4096], *words[32];
	size_t i;

	setpgid(0, 0);
#ifdef __linux__
	prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (ready != SERVER_READY_FD) {
		dup2(ready, SERVER_READY_FD);
		close(ready);
	}
	for (i = 0; argv[i] != NULL; i++)
		words[i] = strdup(argv[i]);
	words[i] = NULL;
	snprintf(path, sizeof(path), "%s/%s", dir == NULL ? ".build" : dir,
	    argv[0]);
	execv(path, words);
	fatal(1, "%s", path);
}

/* One with an environment of its own may be at its end when it is killed. */
static void
server_end(pid_t *pid, const char *name, int killed,
    const char *const *environment)
{
	int status;

	if (*pid == -1)
		return;
	if (killed)
		kill(-*pid, SIGKILL);
	else
		kill(*pid, SIGTERM);
	while (waitpid(*pid, &status, 0) == -1)
		if (errno != EINTR)
			fatal(1, "wait for %s", name);
	server_forget(*pid);
	*pid = -1;
	if (!killed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		fatalx(1, "%s ended with %s %d", name,
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status));
	if (!killed || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
		return;
	if (environment == NULL || *environment == NULL)
		fatalx(1, "%s was dead before it was killed", name);
	server_crashed(status, environment);
}

static int
server_unlink(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return (remove(path));
}

/*
 * quire-worker: options, and then either one client on descriptor 0 (inetd, s6,
 * systemd Accept=yes) or, with -l or sockets that listen, the listener.  It
 * never goes into the background by itself; -d only says that the log goes to
 * stderr.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "worker/conn_internal.h"
#include "worker/inherit.h"
#include "worker/listen.h"
#include "worker/memory.h"
#include "worker/source.h"

#define MAIN_SOCKET	     "/run/quire/broker.sock"
#define MAIN_USER	     "_quirew"
#define MAIN_CONNECTIONS_MAX 1000000

struct main_options {
	struct listen_config listen;
	const char *user;
	const char *group;
	int foreground;
	int verbose;
};

static enum log_where main_log(const struct main_options *);
static void main_fds(void);
static void main_options(struct main_options *, int, char **);
static unsigned main_number(const char *word, const char *what, unsigned min,
    unsigned max);
static void main_usage(void) __attribute__((noreturn));
static enum sandbox_level main_level(const char *word);
static void main_user(struct main_options *);
static int main_user_find(void *);
static void main_inherited(struct listen_config *, int passed);
static int main_client(const char *broker, const struct sandbox_plan *);
static void main_close_std(void);
static void main_peer(char peer[LISTEN_PEER_MAX]);
static int main_stderr_is_client(void);

int
main(int argc, char **argv)
{
	struct main_options o = { .listen = { .broker = MAIN_SOCKET,
				      .sandbox = SANDBOX_PLAN_INIT,
				      .ready = READY_INIT },
		.user = MAIN_USER };
	int passed;

	main_fds();
	o.listen.sandbox.chroot_dir = "";
	main_options(&o, argc, argv);
	passed = inherit_count(LISTEN_SOCKETS_MAX);
	o.listen.ready.fd =
	    sandbox_inherited(STDERR_FILENO + 1 + passed, o.listen.ready.fd);
	log_init("quire-worker", main_log(&o),
	    o.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	if (sodium_init() == -1)
		fatalx(EX_SOFTWARE, "libsodium does not start");
	main_inherited(&o.listen, passed);
	main_user(&o);
	if (o.listen.naddresses + o.listen.ninherited > 0) {
		ready_open(&o.listen.ready);
		return (listen_run(&o.listen));
	}
	return (main_client(o.listen.broker, &o.listen.sandbox));
}

/* Whoever gave an address is not a client; all else may have one for stderr. */
static enum log_where
main_log(const struct main_options *o)
{
	int listens = o->listen.naddresses > 0;

	if (o->foreground && (listens || !main_stderr_is_client()))
		return (LOG_TO_STDERR);
	return (listens ? LOG_TO_BOTH : LOG_TO_SYSLOG);
}

/* A descriptor opened later must never become 0, 1 or 2. */
static void
main_fds(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			_exit(EX_OSERR);
	} while (fd <= 2);
	close(fd);
}

static void
main_options(struct main_options *o, int argc, char **argv)
{
	struct listen_config *l = &o->listen;
	int ch;

	while ((ch = getopt(argc, argv, "dg:l:M:m:r:S:s:t:u:v")) != -1)
		switch (ch) {
		case 'd':
			o->foreground = 1;
			break;
		case 'g':
			o->group = optarg;
			break;
		case 'l':
			if (l->naddresses == LISTEN_SOCKETS_MAX)
				main_usage();
			l->address[l->naddresses++] = optarg;
			break;
		case 'M':
			l->per_address =
			    main_number(optarg, "-M", 1, MAIN_CONNECTIONS_MAX);
			break;
		case 'm':
			l->max =
			    main_number(optarg, "-m", 1, MAIN_CONNECTIONS_MAX);
			break;
		case 'r':
			l->ready.fd =
			    (int)main_number(optarg, "-r", 1, INT_MAX);
			break;
		case 'S':
			l->sandbox.level = main_level(optarg);
			break;
		case 's':
			l->broker = optarg;
			break;
		case 't':
			l->sandbox.chroot_dir = optarg;
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'v':
			o->verbose = 1;
			break;
		default:
			main_usage();
		}
	if (optind != argc)
		main_usage();
}

static enum sandbox_level
main_level(const char *word)
{
	static const char *const words[] = { [SANDBOX_LEVEL_REQUIRE] =
						 "require",
		[SANDBOX_LEVEL_BEST_EFFORT] = "best-effort",
		[SANDBOX_LEVEL_OFF] = "off" };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			return ((enum sandbox_level)i);
	main_usage();
}

/* Only root can become another user, and then it must. */
static void
main_user(struct main_options *o)
{
	const struct listen_config *l = &o->listen;
	int r;

	if (geteuid() != 0)
		return;
	r = l->naddresses + l->ninherited > 0
	    ? memory_aside(main_user_find, o, sizeof(*o))
	    : main_user_find(o);
	if (r == -1)
		fatalx(EX_NOUSER,
		    "there is no user %s%s%s; -u and -g name others", o->user,
		    o->group == NULL ? "" : ", or no group ",
		    o->group == NULL ? "" : o->group);
}

static int
main_user_find(void *arg)
{
	struct main_options *o = arg;

	return (sandbox_plan_user(&o->listen.sandbox, o->user, o->group));
}

/* Those that were passed, and else what inetd's "wait" has on descriptor 0. */
static void
main_inherited(struct listen_config *l, int passed)
{
	int i;

	for (i = 0; i < passed; i++)
		l->inherited[l->ninherited++] = STDERR_FILENO + 1 + i;
	if (passed == 0 && inherit_listens(STDIN_FILENO)) {
		i = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (i == -1)
			fatal(EX_OSERR, "descriptor 0");
		l->inherited[l->ninherited++] = i;
	}
	for (i = 0; i < l->ninherited; i++)
		inherit_take(l->inherited[i]);
}

static unsigned
main_number(const char *word, const char *what, unsigned min, unsigned max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end != '\0' || errno != 0 ||
	    n < min || n > max)
		fatalx(EX_USAGE, "%s %s: not a number from %u to %u", what,
		    word, min, max);
	return ((unsigned)n);
}

static void
main_usage(void)
{
	fprintf(stderr,
	    "usage: quire-worker [-dv] [-g group] [-M per-address] [-m max]\n"
	    "                    [-r fd] [-S require | best-effort | off]\n"
	    "                    [-s broker-socket] [-t root] [-u user]\n"
	    "                    [-l address:port] ...\n");
	exit(EX_USAGE);
}

static int
main_client(const char *broker, const struct sandbox_plan *plan)
{
	char peer[LISTEN_PEER_MAX];
	const struct conn_news alone = { 0, 0, NULL, 0 };
	struct stat st;
	int fd, on = 1;

	if (fstat(STDIN_FILENO, &st) == -1 || !S_ISSOCK(st.st_mode))
		fatalx(EX_USAGE, "descriptor 0 is no socket, and no -l given");
	main_peer(peer);
	if ((fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)) == -1)
		fatal(EX_OSERR, "client");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	main_close_std();
	return (conn_serve(fd, broker, peer, -1, plan, &alone));
}

/*
 * A socket that is open here too would not end for the client when conn_serve
 * closes it.
 */
static void
main_close_std(void)
{
	struct stat in, st;
	int fd, null;

	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    fstat(STDIN_FILENO, &in) == -1)
		fatal(EX_OSERR, "/dev/null");
	for (fd = STDERR_FILENO; fd >= STDIN_FILENO; fd--)
		if (fstat(fd, &st) == 0 && st.st_dev == in.st_dev &&
		    st.st_ino == in.st_ino)
			dup2(null, fd);
	close(null);
}

/* What accepted the client may know it better, as behind a Unix socket. */
static void
main_peer(char peer[LISTEN_PEER_MAX])
{
	static const char *const names[] = { "TCPREMOTEIP", "REMOTE_ADDR" };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	const char *word;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((word = getenv(names[i])) != NULL && *word != '\0') {
			log_quote(peer, LISTEN_PEER_MAX, bytes_str(word));
			return;
		}
	if (getpeername(STDIN_FILENO, (void *)&ss, &len) == -1)
		ss.ss_family = AF_UNSPEC;
	source_unmap(&ss);
	listen_peer(peer, &ss);
}

/* inetd gives the client on all three: a log line would be a frame to it. */
static int
main_stderr_is_client(void)
{
	struct stat in, err;

	return (fstat(STDIN_FILENO, &in) == 0 &&
	    fstat(STDERR_FILENO, &err) == 0 && S_ISSOCK(in.st_mode) &&
	    in.st_dev == err.st_dev && in.st_ino == err.st_ino);
}

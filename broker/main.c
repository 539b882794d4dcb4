/*
 * quired: the broker.  Options, settings, keys, store, sockets, user, ready,
 * loop; and the way back.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "broker/boot.h"
#include "broker/broker.h"
#include "broker/compact.h"
#include "broker/confine.h"
#include "broker/garbage.h"
#include "broker/job.h"
#include "broker/lanes.h"
#include "broker/listen.h"
#include "broker/opener.h"
#include "broker/outcome.h"
#include "broker/reload.h"
#include "broker/web.h"
#include "broker/quarantine.h"
#include "broker/rate.h"
#include "broker/trace.h"
#include "common/log.h"
#include "common/ready.h"

#define DEFINES_MAX  64
#define STOP_WAIT_S  5
#define STOP_TICK_US 20000

struct options {
	const char *conf;
	char *defines[DEFINES_MAX];
	size_t ndefines;
	int foreground;
	int check;
	int verbose;
	struct ready ready;
};

static void main_usage(void) __attribute__((noreturn));
static void main_options(struct options *, int, char **);
static int main_fd(const char *);
static void main_fds(void);
static void main_secrets(struct broker *);
static void main_forget(struct broker *);
static void main_issuer(struct broker *);
static void main_keyless(const char *path) __attribute__((noreturn));
static void main_open(struct broker *, struct sandbox_plan *);
static void main_sockets(struct broker *, const struct sandbox_plan *);
static struct event_base *main_base(void);
static uid_t main_worker_uid(const struct config *);
static void main_stop(evutil_socket_t, short, void *);
static void main_hangup(evutil_socket_t, short, void *);
static void main_accepted(void *, int);
static void main_boot(struct broker *);
static void main_loop(struct broker *, struct options *);
static void main_drain(struct broker *);

static struct listener *workers, *control;
static struct web *web;
static struct lanes *lanes;
static struct opener *opener;

int
main(int argc, char **argv)
{
	struct options o = { .ready = READY_INIT };
	struct sandbox_plan plan;
	struct broker *b;

	main_fds();
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_INFO);
	main_options(&o, argc, argv);
	o.ready.fd = sandbox_inherited(STDERR_FILENO + 1, o.ready.fd);
	if ((b = calloc(1, sizeof(*b))) == NULL || sodium_init() == -1)
		fatal(EX_OSERR, "start");
	/* It would look for /dev/urandom, and do without inside. */
	json_object_seed(randombytes_uniform(UINT32_MAX) + 1u);
	b->defines = o.defines;
	b->ndefines = o.ndefines;
	if (config_load_with(o.conf, o.defines, o.ndefines, &b->conf) == -1)
		return (EX_CONFIG);
	if (o.check) {
		if (o.verbose)
			config_print(b->conf, stdout);
		main_secrets(b);
		main_forget(b);
		return (0);
	}
	log_init("quired",
	    o.foreground || b->conf->log == LOG_TO_STDERR ? LOG_TO_STDERR
							  : LOG_TO_BOTH,
	    o.verbose ? LOG_LEVEL_DEBUG : (enum log_level)b->conf->log_level);
	confine_plan(b->conf, &plan); /* or fan-out would say it, too */
	lanes = lanes_start(b->conf);
	opener = opener_start(
	    &(struct opener_source){ b->conf, o.conf, o.defines, o.ndefines });
	main_secrets(b);
	ready_open(&o.ready);
	main_open(b, &plan);
	main_boot(b);
	main_loop(b, &o);
	revocations_free(b->revocations);
	buf_free(&b->settings);
	rates_free(b->rates);
	outcomes_free(b->outcomes);
	b->kv->ops->close(b->kv);
	main_forget(b);
	return (0);
}

/* What the configuration says tokens are checked with, or the end. */
static void
main_secrets(struct broker *b)
{
	if ((b->keys = keyring_load(b->conf->keys)) == NULL)
		main_keyless(b->conf->keys);
	if (b->conf->auth[0] != '\0' &&
	    (b->statics = statics_load(b->conf->auth)) == NULL)
		fatalx(EX_CONFIG, "auth %s", b->conf->auth);
	main_issuer(b);
}

static void
main_forget(struct broker *b)
{
	keyring_free(b->keys);
	jwks_free(b->jwks);
	statics_free(b->statics);
	config_free(b->conf);
	free(b);
}

static void
main_usage(void)
{
	fputs("usage: quired [-dnvV] [-D name=value] [-f conf] [-r fd]\n",
	    stderr);
	exit(EX_USAGE);
}

static void
main_options(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "D:df:nr:vV")) != -1)
		switch (c) {
		case 'D':
			if (o->ndefines == DEFINES_MAX)
				main_usage();
			o->defines[o->ndefines++] = optarg;
			break;
		case 'd':
			o->foreground = 1;
			break;
		case 'f':
			o->conf = optarg;
			break;
		case 'n':
			o->check = 1;
			break;
		case 'r':
			o->ready.fd = main_fd(optarg);
			break;
		case 'v':
			o->verbose = 1;
			break;
		case 'V':
			puts("quired " QUIRE_VERSION);
			exit(0);
		default:
			main_usage();
		}
	if (optind != argc)
		main_usage();
	if (o->conf == NULL && access(CONFIG_PATH, F_OK) == 0)
		o->conf = CONFIG_PATH;
}

static int
main_fd(const char *word)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(word, &end, 10);
	if (*word < '0' || *word > '9' || *end != '\0' || errno != 0 ||
	    n > INT_MAX)
		main_usage();
	return ((int)n);
}

/* Descriptors 0 to 2 must be something, lest a database file becomes stderr. */
static void
main_fds(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) == -1)
			exit(EX_OSERR);
	} while (fd <= 2);
	close(fd);
	signal(SIGPIPE, SIG_IGN);
	umask(077);
}

/* A kid chooses one key, so the two files must not share it. */
static void
main_issuer(struct broker *b)
{
	const char *path = b->conf->oidc_jwks;

	if (path[0] == '\0')
		return;
	if ((b->jwks = jwks_load(path)) == NULL)
		fatal(EX_CONFIG, "oidc_jwks %s", path);
	if (reload_kids_clash(b->keys, b->jwks))
		fatalx(EX_CONFIG, "oidc_jwks %s: has a kid of %s", path,
		    b->conf->keys);
}

/* The lines before say what is wrong, but not what can be done. */
static void
main_keyless(const char *path)
{
	if (errno == ENOENT)
		fatalx(EX_CONFIG, "setting keys: quirectl keygen %s makes one",
		    path);
	fatalx(EX_CONFIG, "setting keys: %s cannot be used", path);
}

/* Lock, sockets, sandbox, store: no thread before, no name after the third. */
static void
main_open(struct broker *b, struct sandbox_plan *plan)
{
	const struct config *c = b->conf;
	struct kv_bdb_options kv = { CONFINE_DATA,
		kv_cache_bytes((uint64_t)c->cache_bytes, kv_cache_memory()),
		(uint64_t)c->log_buffer_bytes, (uint64_t)c->checkpoint_bytes,
		(uint64_t)c->checkpoint_ms, 0, 0 };
	char why[256];

	if ((kv.lock_fd = kv_bdb_lock(c->data, why, sizeof(why))) == -1)
		fatalx(EX_UNAVAILABLE, "setting data: %s", why);
	confine_give(plan, c->data);
	main_sockets(b, plan);
	confine(c, plan, &b->metrics.sandbox);
	if ((b->kv = kv_bdb_open(&kv, why, sizeof(why))) == NULL)
		fatalx(EX_UNAVAILABLE, "store %s: %s", c->data, why);
}

/* Who connects now waits until the store is open. */
static void
main_sockets(struct broker *b, const struct sandbox_plan *plan)
{
	const struct config *c = b->conf;

	if ((b->base = main_base()) == NULL ||
	    event_base_priority_init(b->base, 3) == -1)
		fatal(EX_OSERR, "event loop");
	workers = listener_new(b->base, c->socket, 0666, main_worker_uid(c),
	    main_accepted, b);
	if (workers == NULL)
		fatal(EX_UNAVAILABLE, "socket %s", c->socket);
	control = listener_new(b->base, c->control, 0600, (uid_t)-1,
	    control_accepted, b);
	if (control == NULL)
		fatal(EX_UNAVAILABLE, "control %s", c->control);
	confine_give(plan, c->control);
	if (c->metrics[0] != '\0' && (web = web_new(b)) == NULL)
		fatal(EX_UNAVAILABLE, "metrics %s", c->metrics);
}

/* Batches wait for less than the millisecond of other timers. */
static struct event_base *
main_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	return (base);
}

static uid_t
main_worker_uid(const struct config *c)
{
	struct passwd *pw;

	if (c->worker_user[0] == '\0')
		return ((uid_t)-1);
	if ((pw = getpwnam(c->worker_user)) == NULL)
		fatalx(EX_NOUSER, "worker_user %s is not there",
		    c->worker_user);
	return (pw->pw_uid);
}

/* Session ids never repeat: the count of starts stands above them. */
static void
main_boot(struct broker *b)
{
	char why[256] = "cannot be written";
	uint64_t boot;

	if (boot_format(b->kv, why, sizeof(why)) == -1)
		fatalx(EX_DATAERR, "store %s %s", b->conf->data, why);
	if (boot_count(b->kv, &boot) == -1 || txn_blob_sweep(b->kv) == -1)
		fatalx(EX_IOERR, "store %s %s", b->conf->data, why);
	b->revocations = revocations_load(b->kv, (int64_t)time(NULL));
	if (b->revocations == NULL)
		fatalx(EX_IOERR, "store %s: revocations", b->conf->data);
	if (ticket_key(b->kv, b->ticket_key) == -1 ||
	    (b->outcomes = outcomes_load(b)) == NULL)
		fatalx(EX_IOERR, "store %s: sessions of before", b->conf->data);
	if ((b->rates = rates_new()) == NULL)
		fatal(EX_OSERR, "rates");
	b->next_session = boot << 32 | 1;
}

static void
main_loop(struct broker *b, struct options *o)
{
	static const struct {
		int signal;
		event_callback_fn caught;
	} signals[] = { { SIGTERM, main_stop }, { SIGINT, main_stop },
		{ SIGHUP, main_hangup } };
	struct event *ev[sizeof(signals) / sizeof(signals[0])];
	size_t i;

	TAILQ_INIT(&b->sessions);
	TAILQ_INIT(&b->jobs);
	TAILQ_INIT(&b->tracers);
	quarantine_boot(b);
	if (batch_init(b) == -1 || compact_init(b) == -1 ||
	    garbage_start(b) == -1 || lanes_watch(lanes, b) == -1 ||
	    opener_watch(opener, b) == -1 || metrics_stores_start(b) == -1)
		fatal(EX_OSERR, "event loop");
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if ((ev[i] = evsignal_new(b->base, signals[i].signal,
			 signals[i].caught, b)) == NULL ||
		    event_add(ev[i], NULL) == -1)
			fatal(EX_OSERR, "signals");
	doc_idle_start(b);
	broker_resumes_from(b);
	metrics_start(b);
	log_info("ready");
	ready_say(&o->ready);
	event_base_dispatch(b->base);
	main_drain(b);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		event_free(ev[i]);
	web_free(web);
	compact_done(b);
	metrics_stores_stop(b);
	batch_done(b);
	lanes_stop(lanes);
	opener_stop(opener);
	event_base_free(b->base);
	log_info("stopped");
}

static void
main_accepted(void *arg, int fd)
{
	session_new(arg, fd, 0);
}

static void
main_hangup(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	opener_ask(opener);
}

/*
 * No newcomers; who is there is told, answered, and waited for.  Workers that
 * wait for the next broker are answered and not told.
 */
static void
main_stop(evutil_socket_t sig, short what, void *arg)
{
	struct broker *b = arg;

	(void)what;
	if (b->stopping)
		return;
	log_info("signal %d: stopping, %zu sessions", (int)sig, b->nsessions);
	b->stopping = 1;
	listener_free(workers);
	listener_free(control);
	jobs_stop(b);
	traces_stop(b);
	sessions_stop(b);
	event_base_loopbreak(b->base);
}

static void
main_drain(struct broker *b)
{
	struct session *s;
	time_t end = time(NULL) + STOP_WAIT_S;

	sessions_part(b);
	while ((b->nsessions > 0 || !batch_idle(b)) && time(NULL) < end) {
		const struct timeval tick = { 0, STOP_TICK_US };

		event_base_loopexit(b->base, &tick);
		event_base_dispatch(b->base);
		sessions_part(b);
	}
	while ((s = TAILQ_FIRST(&b->sessions)) != NULL)
		session_close(s);
	while (!batch_idle(b))
		event_base_loop(b->base, EVLOOP_ONCE);
}

/*
 * load: the load generator, against one server that runs already, ours or
 * another (tests/bench/peers.mjs starts them).  One process, epoll; prints
 * name=value words on one line.  What it is told in its environment is in
 * tests/lib/load_client.h and load_cost.h.
 *
 *	load fanout RECEIVERS FLIGHT MESSAGES BYTES [DEAD [SLOW]]
 *	load commit WRITERS MESSAGES
 *	load spawn CONNECTIONS
 *	load idle CONNECTIONS
 *	load live CONNECTIONS
 *	load catchup MESSAGES BYTES
 *	load wakes CONNECTIONS SECONDS
 */
#include <sys/resource.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/load_client.h"
#include "tests/lib/load_cost.h"

#define LOAD_WARM	50 /* messages before what is measured */
#define LOAD_MOST	(1u << 20)
#define LOAD_FLIGHT_MAX 1024
#define LOAD_SIP_BYTES	2048
#define LOAD_SPAWN_WAVE 64
#define LOAD_QUIET_MS	500  /* what is under way comes to its end */
#define LOAD_REST_S	12.0 /* and what is counted has been told */

struct measure {
	const char *name;
	int words;
	void (*run)(const size_t *);
};

static void load_fanout(const size_t *);
static void load_commit(const size_t *);
static void load_spawn(const size_t *);
static void load_idle(const size_t *);
static void load_live(const size_t *);
static void load_catchup(const size_t *);
static void load_wakes(const size_t *);
static void load_rest(double seconds);
static void load_settle(struct load_client *sender, size_t receivers);
static void load_burst(struct load_client *sender, uint64_t messages,
    uint64_t flight, size_t bytes);
static void load_next(struct load_client *sender, size_t bytes);
static void load_arrived(struct load_client *, uint64_t);
static void load_greeted(struct load_client *, size_t n);
static struct load_client *load_hearing(size_t n);
static int load_compare(const void *, const void *);
static double load_quantile(size_t n, double q);

static const struct measure measures[] = {
	{ "fanout", 4, load_fanout },
	{ "commit", 2, load_commit },
	{ "spawn", 1, load_spawn },
	{ "idle", 1, load_idle },
	{ "live", 1, load_live },
	{ "catchup", 2, load_catchup },
	{ "wakes", 2, load_wakes },
};

static struct load load;
static uint64_t numbered; /* the newest message sent */
static uint64_t arrived;  /* the newest that all have */
static size_t waited_for; /* how many receivers count */
static size_t missing[LOAD_FLIGHT_MAX];
static double sent_at[LOAD_FLIGHT_MAX];
static double took[LOAD_MOST]; /* seconds to the last delivery, by message */
static size_t ntook;
static struct load_client *sippers; /* they read a little now and then */
static size_t nsippers, next_sipper;

int
main(int argc, char **argv)
{
	struct rlimit files;
	size_t a[6] = { 0 };
	size_t i;
	int w;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (w = 2; w < argc && w < 8; w++)
		a[w - 2] = strtoul(argv[w], NULL, 10);
	for (i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
		if (argc > 1 && strcmp(argv[1], measures[i].name) == 0 &&
		    argc >= 2 + measures[i].words) {
			load_init(&load);
			measures[i].run(a);
			return (0);
		}
	errx(2, "usage: load MEASUREMENT NUMBER ...; see tests/bench/README");
}

/*
 * One sender to all receivers, so many messages under way at a time.  Beside
 * them may be some who never read and some who sip.
 */
static void
load_fanout(const size_t *a)
{
	const size_t receivers = a[0], bytes = a[3], dead = a[4], slow = a[5];
	const uint64_t messages = a[2];
	const double n = (double)messages * (double)receivers;
	struct load_client *others, sender;
	double t, cpu, own;
	size_t i;

	load_hearing(receivers);
	others = load_open_all(&load, dead + slow, load.hear);
	load_open(&load, &sender, load.say);
	load_settle(&sender, receivers);
	for (i = 0; i < dead + slow; i++)
		load_deafen(&load, &others[i]);
	sippers = others + dead;
	nsippers = slow;
	ntook = 0;
	cpu = cost_cpu_s();
	own = cost_own_cpu_s();
	t = cost_now_s();
	load_burst(&sender, messages, a[1], bytes);
	t = cost_now_s() - t;
	cpu = cost_cpu_s() - cpu;
	own = cost_own_cpu_s() - own;
	printf("per_s=%.0f cost_us=%.4f p50_ms=%.3f p99_ms=%.3f own_us=%.3f\n",
	    n / t, cpu * 1e6 / n, load_quantile(ntook, 0.5) * 1e3,
	    load_quantile(ntook, 0.99) * 1e3, own * 1e6 / n);
}

/*
 * Each writer sends its next when one witness has its last, which it does only
 * after the commit.
 */
static void
load_commit(const size_t *a)
{
	const size_t writers = a[0];
	const uint64_t messages = a[1];
	struct load_client *w, *witness = load_hearing(1);
	double t;

	witness->in_order = 0;
	w = load_open_all(&load, writers, load.say);
	load_settle(&w[0], 1);
	ntook = 0;
	arrived = numbered;
	t = cost_now_s();
	while (ntook < messages) {
		while (numbered - arrived < writers)
			load_next(&w[numbered % writers], 100);
		load_turn(&load);
	}
	t = cost_now_s() - t;
	printf("per_s=%.0f p50_us=%.1f p99_us=%.1f\n", (double)messages / t,
	    load_quantile(ntook, 0.5) * 1e6, load_quantile(ntook, 0.99) * 1e6);
}

/* From connecting to the first message, which comes when all is open. */
static void
load_spawn(const size_t *a)
{
	const size_t n = a[0];
	struct load_client *c, sender;
	size_t i, j, k;
	double t, cpu;

	load_open(&load, &sender, load.say);
	while (!sender.ready)
		load_turn(&load);
	load_send(&load, &sender, 1, 100);
	cpu = cost_cpu_s();
	t = cost_now_s();
	for (i = 0; i < n; i += k) {
		k = n - i < LOAD_SPAWN_WAVE ? n - i : LOAD_SPAWN_WAVE;
		c = load_open_all(&load, k, load.hear);
		load_greeted(c, k);
		for (j = 0; j < k; j++)
			load_close(&c[j]);
		free(c);
	}
	t = cost_now_s() - t;
	cpu = cost_cpu_s() - cpu;
	printf("per_s=%.0f cost_us=%.0f\n", (double)n / t,
	    cpu * 1e6 / (double)n);
}

static void
load_idle(const size_t *a)
{
	double before = cost_memory_kib();
	struct load_client *c, sender;

	load_open(&load, &sender, load.say);
	while (!sender.ready)
		load_turn(&load);
	load_send(&load, &sender, 1, 100);
	c = load_open_all(&load, a[0], load.hear);
	load_greeted(c, a[0]);
	while (load_wait(&load, LOAD_QUIET_MS) > 0)
		continue;
	printf("kib=%.1f\n", (cost_memory_kib() - before) / (double)a[0]);
}

/* All of them hear one and the same message. */
static void
load_live(const size_t *a)
{
	struct load_client sender;
	double t = cost_now_s();

	load_hearing(a[0]);
	load_open(&load, &sender, load.say);
	load_settle(&sender, a[0]);
	printf("connections=%zu seconds=%.1f last_ms=%.0f\n", a[0],
	    cost_now_s() - t, took[ntook - 1] * 1e3);
}

/* All that is stored, to one new client; LOAD_BROKER is the broker's id. */
static void
load_catchup(const size_t *a)
{
	const char *broker = getenv("LOAD_BROKER");
	struct load_client sender, *c;
	double t, all, part, own, mb;

	load_hearing(1);
	load_open(&load, &sender, load.say);
	load_settle(&sender, 1);
	load_burst(&sender, a[0], 64, a[1]);
	while (load_wait(&load, LOAD_QUIET_MS) > 0)
		continue;
	all = cost_cpu_s();
	part = cost_cpu_of_s(broker);
	own = cost_own_cpu_s();
	t = cost_now_s();
	c = load_open_all(&load, 1, load.hear);
	while (c->got < numbered)
		load_turn(&load);
	t = cost_now_s() - t;
	part = cost_cpu_of_s(broker) - part;
	all = cost_cpu_s() - all;
	own = cost_own_cpu_s() - own;
	mb = (double)c->bytes / 1e6;
	printf("mb_per_s=%.1f broker_ms_per_mb=%.3f servers_ms_per_mb=%.3f "
	       "own_share=%.3f\n",
	    mb / t, part * 1e3 / mb, all * 1e3 / mb, own / t);
}

/* Nobody says anything, but pings are answered. */
static void
load_wakes(const size_t *a)
{
	struct load_client sender;
	double wakes;

	load_hearing(a[0]);
	load_open(&load, &sender, load.say);
	load_settle(&sender, a[0]);
	load_rest(LOAD_REST_S);
	wakes = cost_wakes();
	load_rest((double)a[1]);
	printf("wakes_per_s=%.3f\n", (cost_wakes() - wakes) / (double)a[1]);
}

/* So long, answering pings. */
static void
load_rest(double seconds)
{
	const double until = cost_now_s() + seconds;
	int left_ms;

	while ((left_ms = (int)((until - cost_now_s()) * 1e3)) > 0)
		load_wait(&load, left_ms);
}

static struct load_client *
load_hearing(size_t n)
{
	struct load_client *c = load_open_all(&load, n, load.hear);
	size_t i;

	for (i = 0; i < n; i++)
		c[i].watched = c[i].in_order = 1;
	load.delivered = load_arrived;
	waited_for = n;
	return (c);
}

/* One at a time until all are used to it. */
static void
load_settle(struct load_client *sender, size_t receivers)
{
	waited_for = receivers;
	while (!sender->ready)
		load_turn(&load);
	load_burst(sender, receivers > 5000 ? 1 : LOAD_WARM, 1, 100);
	while (load_wait(&load, LOAD_QUIET_MS) > 0)
		continue;
}

static void
load_burst(struct load_client *sender, uint64_t messages, uint64_t flight,
    size_t bytes)
{
	const uint64_t end = numbered + messages;

	while (arrived < end) {
		while (numbered < end && numbered - arrived < flight)
			load_next(sender, bytes);
		load_turn(&load);
		if (nsippers > 0)
			load_sip(&load, &sippers[next_sipper++ % nsippers],
			    LOAD_SIP_BYTES);
	}
}

static void
load_next(struct load_client *sender, size_t bytes)
{
	sent_at[++numbered % LOAD_FLIGHT_MAX] = cost_now_s();
	missing[numbered % LOAD_FLIGHT_MAX] = waited_for;
	load_send(&load, sender, numbered, bytes);
}

static void
load_arrived(struct load_client *c, uint64_t number)
{
	const size_t at = number % LOAD_FLIGHT_MAX;

	if (!c->watched)
		return;
	if (missing[at] > 0 && --missing[at] == 0) {
		arrived++;
		if (ntook < LOAD_MOST)
			took[ntook++] = cost_now_s() - sent_at[at];
	}
}

static void
load_greeted(struct load_client *c, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		while (!c[i].greeted)
			load_turn(&load);
}

static double
load_quantile(size_t n, double q)
{
	if (n == 0)
		return (0);
	qsort(took, n, sizeof(took[0]), load_compare);
	return (took[(size_t)((double)(n - 1) * q)]);
}

static int
load_compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return ((*x > *y) - (*x < *y));
}

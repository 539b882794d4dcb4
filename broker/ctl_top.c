/*
 * quirectl top: the broker's figures, what they grow by in a second, and the
 * stores that most connections are in.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "common/buf.h"
#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_answer.h"

#define TOP_EVERY_MS   1000
#define TOP_FIGURES    32u
#define TOP_STORES_MAX 4096u
#define TOP_SHOWN      15u
/* Words of a line of connections before its texts, see control_connections. */
#define TOP_WORDS 5u

enum top_form { TOP_PLAIN, TOP_SCREEN, TOP_JSON };

struct top_figure {
	char name[32];
	uint64_t value;
};

struct top_look {
	struct timespec at;
	struct top_figure figures[TOP_FIGURES];
	size_t n;
};

struct top_store {
	struct bytes name; /* in the answer */
	size_t connections;
};

static volatile sig_atomic_t top_stopped;

static void top_stop(int);
static int top_run(const char *control, long times, enum top_form);
static int top_look(const char *control, struct top_look *);
static int top_show(const char *control, const struct top_look *,
    const struct top_look *before, enum top_form);
static void top_figures(const struct top_look *, const struct top_look *);
static double top_rate(const struct top_look *, const struct top_look *,
    size_t i);
static int top_stores(const char *control, json_t *out);
static json_t *top_object(const struct top_look *, const struct top_look *);
static size_t top_count(struct bytes, struct top_store *);
static int top_more(const void *, const void *);
static int top_pause(int tty);

int
ctl_top(const struct ctl *ctl, int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = top_stop };
	struct termios was, raw;
	struct config *config;
	long times = 0; /* for ever */
	char *end;
	int c, status, tty;

	while ((c = getopt(argc, argv, "+n:")) != -1)
		if (c != 'n' || (times = strtol(optarg, &end, 10)) < 1 ||
		    *end != '\0')
			return (ctl_usage(argv[0]));
	if (argc != optind)
		return (ctl_usage(argv[0]));
	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	/* A key counts at once; the terminal is given back as it was. */
	if ((tty = tcgetattr(STDIN_FILENO, &was) == 0)) {
		sigemptyset(&sa.sa_mask);
		sigaction(SIGINT, &sa, NULL);
		sigaction(SIGTERM, &sa, NULL);
		raw = was;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	status = top_run(config->control, times,
	    ctl->as_json		? TOP_JSON
		: isatty(STDOUT_FILENO) ? TOP_SCREEN
					: TOP_PLAIN);
	if (tty)
		tcsetattr(STDIN_FILENO, TCSANOW, &was);
	config_free(config);
	return (status);
}

static void
top_stop(int sig)
{
	(void)sig;
	top_stopped = 1;
}

static int
top_run(const char *control, long times, enum top_form form)
{
	struct top_look looks[2];
	int tty = isatty(STDIN_FILENO);
	int status = top_look(control, &looks[0]);
	long i;

	for (i = 1; status == 0; i++) {
		if (top_pause(tty))
			return (0);
		if ((status = top_look(control, &looks[i & 1])) == 0)
			status = top_show(control, &looks[i & 1],
			    &looks[(i + 1) & 1], form);
		if (status == 0 && i == times)
			return (0);
	}
	return (status);
}

/* Figures that there is no room for are left out, texts as well. */
static int
top_look(const char *control, struct top_look *look)
{
	struct buf answer = BUF_INIT;
	struct bytes text, line, name;
	int status;

	look->n = 0;
	clock_gettime(CLOCK_MONOTONIC, &look->at);
	status = ctl_ask(control, "status", &answer);
	for (text = buf_bytes(&answer); text.n > 0 && look->n < TOP_FIGURES;) {
		struct top_figure *f = &look->figures[look->n];
		char value[24];

		line = ctl_word(&text, '\n');
		name = ctl_word(&line, ' ');
		if (name.n >= sizeof(f->name) || line.n >= sizeof(value) ||
		    line.n == 0 || memchr(line.p, '.', line.n) != NULL)
			continue;
		memcpy(f->name, name.p, name.n);
		f->name[name.n] = '\0';
		memcpy(value, line.p, line.n);
		value[line.n] = '\0';
		f->value = strtoull(value, NULL, 10);
		look->n++;
	}
	buf_free(&answer);
	return (status);
}

static int
top_show(const char *control, const struct top_look *now,
    const struct top_look *before, enum top_form form)
{
	json_t *object = NULL;
	int status;

	if (form == TOP_SCREEN)
		fputs("\033[H\033[J", stdout);
	if (form == TOP_JSON)
		object = top_object(now, before);
	else
		top_figures(now, before);
	status = top_stores(control, object);
	if (object != NULL && json_dumpf(object, stdout, JSON_COMPACT) == 0)
		putchar('\n');
	json_decref(object);
	if (fflush(stdout) == EOF) {
		log_warn("standard output");
		status = EX_IOERR;
	}
	return (status);
}

static void
top_figures(const struct top_look *now, const struct top_look *before)
{
	size_t i;

	printf("%-24s %16s %14s\n", "figure", "now", "a second");
	for (i = 0; i < now->n && i < before->n; i++)
		printf("%-24s %16llu %14.1f\n", now->figures[i].name,
		    (unsigned long long)now->figures[i].value,
		    top_rate(now, before, i));
}

static double
top_rate(const struct top_look *now, const struct top_look *before, size_t i)
{
	double s = (double)(now->at.tv_sec - before->at.tv_sec) +
	    (double)(now->at.tv_nsec - before->at.tv_nsec) / 1e9;

	return (s <= 0 ? 0
		       : ((double)now->figures[i].value -
			     (double)before->figures[i].value) /
		    s);
}

/* Names, and of each what it is now and what it grows by in a second. */
static json_t *
top_object(const struct top_look *now, const struct top_look *before)
{
	json_t *figures = json_object();
	size_t i;

	for (i = 0; i < now->n && i < before->n; i++)
		json_object_set_new(figures, now->figures[i].name,
		    json_pack("{s:I,s:f}", "now",
			(json_int_t)now->figures[i].value, "second",
			top_rate(now, before, i)));
	return (json_pack("{s:o,s:[]}", "figures", figures, "stores"));
}

/* To people, or into the object. */
static int
top_stores(const char *control, json_t *out)
{
	struct top_store *stores = calloc(TOP_STORES_MAX, sizeof(*stores));
	struct buf answer = BUF_INIT;
	size_t i, n;
	int status = EX_OSERR;

	if (stores != NULL)
		status = ctl_ask(control, "connections", &answer);
	if (status == 0) {
		n = top_count(buf_bytes(&answer), stores);
		qsort(stores, n, sizeof(*stores), top_more);
		if (out == NULL)
			printf("\n%11s  %s\n", "connections", "store");
		for (i = 0; i < n && i < TOP_SHOWN; i++)
			if (out == NULL)
				printf("%11zu  %.*s\n", stores[i].connections,
				    (int)stores[i].name.n,
				    (const char *)stores[i].name.p);
			else
				json_array_append_new(json_object_get(out,
							  "stores"),
				    json_pack("{s:o,s:I}", "name",
					ctl_name(stores[i].name), "connections",
					(json_int_t)stores[i].connections));
	}
	buf_free(&answer);
	free(stores);
	return (status);
}

/* The store is the last of three texts; without one there is an empty text. */
static size_t
top_count(struct bytes text, struct top_store *stores)
{
	struct bytes line, name;
	size_t i, n = 0;

	while (text.n > 0) {
		line = ctl_word(&text, '\n');
		for (i = 0; i < TOP_WORDS; i++)
			ctl_word(&line, ' ');
		for (i = 0; i < 5; i++)
			ctl_word(&line, '"');
		name = ctl_word(&line, '"');
		for (i = 0; i < n && !bytes_eq(stores[i].name, name); i++)
			;
		if (name.n == 0 || i == TOP_STORES_MAX)
			continue;
		stores[i].name = name;
		stores[i].connections++;
		n += i == n;
	}
	return (n);
}

static int
top_more(const void *a, const void *b)
{
	const struct top_store *x = a, *y = b;

	if (x->connections != y->connections)
		return (x->connections > y->connections ? -1 : 1);
	return (bytes_cmp(x->name, y->name));
}

/* 1: q was pressed, or a signal said so. */
static int
top_pause(int tty)
{
	struct pollfd p = { .fd = tty ? STDIN_FILENO : -1, .events = POLLIN };
	char key;

	while (poll(&p, 1, TOP_EVERY_MS) > 0)
		if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q')
			return (1);
	return (top_stopped);
}

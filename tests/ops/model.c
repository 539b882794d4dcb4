/*
 * model SEED STEPS DISK: random clients against the real broker and a model of
 * what it keeps.
 *
 * In each step clients send at once, to a broker that may be held still until
 * all is said; some lag, leave or come back, and now and then one of them or
 * the broker is killed.  Then the log tells in which order things were done,
 * and the model must come to the same decision on each of them there, whether
 * taken or refused; whatever anybody was shown or told must be in it.
 *
 * With DISK, tests/preload/disk.so, in some of the broker's lives each step has
 * an allocation that fails, one later than in the step before: what was undone
 * must leave no trace.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sds.h"
#include "tests/lib/crowd.h"
#include "tests/lib/starve.h"

#define BURSTS_MAX 10
#define BURST_MAX  6
#define SPY_TRIES  200000
#define CROWDS	   2

static struct world {
	struct server server;
	struct crowd crowd[CROWDS];
	struct model_op ops[MODEL_OPS + 1];
	uint32_t nops, settled;
	const char *disk;
	char preload[600];
	struct starve starve;
	/* the chain, if all goes as whoever sends next believes */
	const struct model_op *head;
	uint64_t clocks[MODEL_AUTHORS];
	uint64_t updates;
	unsigned long taken, refused, kills, hangups, lags, ill;
} w;

static void step(void);
static void burst(struct crowd *, struct crowd_client *);
static void say(struct crowd *, struct crowd_client *);
static void submit(struct crowd *, struct crowd_client *);
static int again(const struct model_op *);
static void believe(struct model_op *);
static void doubt(struct model_op *);
static void update(struct model_op *);
static void snapshot(struct model_op *);
static void fetch(struct crowd *, struct crowd_client *);
static void signals(struct crowd *, struct crowd_client *);
static void barrier(struct crowd_client *);
static void reopen(struct crowd *, struct crowd_client *);
static void kill_broker(void);
static void kill_client(void);
static void spy(void);
static void ill_make(void);
static void start(void);
static void gather(void);
static void audit(struct crowd *);
static void audit_entry(struct crowd *, const struct entry *);
static void audit_refused(const struct crowd *);
static void audit_rest(void);
static void audit_gone(struct crowd *, uint64_t session);
static void checks(struct crowd *);
static void compact(void);
static int one_in(uint32_t);
static uint32_t below(uint32_t);
static struct crowd_client *anyone(struct crowd *);

int
main(int argc, char **argv)
{
	unsigned int seed, steps, i;

	log_init("model", LOG_TO_STDERR, LOG_LEVEL_INFO);
	if (argc < 3)
		return (64);
	seed = (unsigned int)strtoul(argv[1], NULL, 10);
	steps = (unsigned int)strtoul(argv[2], NULL, 10);
	printf("seed %u\n", seed);
	fflush(stdout);
	srandom(seed);
	w.disk = argc > 3 ? argv[3] : NULL;
	server_make(&w.server);
	server_setting(&w.server, "log_level error");
	server_setting(&w.server, "ring_bytes 64K");
	server_setting(&w.server, "secsync_updates_max 6");
	server_setting(&w.server, "compact no");
	server_setting(&w.server, "compact_grace 0");
	w.crowd[0] = (struct crowd){ .name = "store",
		.dialect = DIALECT_SDS,
		.model = { .kind = MODEL_STORE } };
	w.crowd[1] = (struct crowd){ .name = "chain",
		.dialect = DIALECT_SECSYNC,
		.model = { .kind = MODEL_CHAIN } };
	for (i = 0; i < CROWDS; i++) {
		w.crowd[i].server = &w.server;
		w.crowd[i].ops = w.ops;
	}
	if (w.disk != NULL)
		ill_make();
	start();
	for (i = 0; i < steps && w.nops < MODEL_OPS - 500; i++)
		step();
	kill_broker();
	start();
	server_stop(&w.server, SERVER_BROKER, 0);
	server_remove(&w.server);
	printf("%lu taken, %lu refused, %lu kills, %lu hang-ups, %lu lags, "
	       "%lu ill lives, %lu allocations failed\n",
	    w.taken, w.refused, w.kills, w.hangups, w.lags, w.ill,
	    w.starve.reached);
	if (w.taken < steps || w.refused < steps / 4 ||
	    (w.disk != NULL && w.starve.reached < steps / 8))
		fatalx(1, "hardly anything was done: this proves nothing");
	return (0);
}

static void
step(void)
{
	int frozen = one_in(3), blow = (int)below(16);
	uint32_t n = 1 + below(BURSTS_MAX);
	struct crowd *c;

	w.head = w.crowd[1].model.head;
	w.updates = w.crowd[1].model.updates;
	memcpy(w.clocks, w.crowd[1].model.clocks, sizeof(w.clocks));
	if (w.crowd[0].ill)
		starve_begin(&w.starve);
	if (frozen && kill(w.server.broker, SIGSTOP) == -1)
		fatal(1, "SIGSTOP");
	while (n-- > 0) {
		c = &w.crowd[below(CROWDS)];
		burst(c, anyone(c));
	}
	if (blow == 0 && one_in(4))
		kill_broker();
	else if (frozen && kill(w.server.broker, SIGCONT) == -1)
		fatal(1, "SIGCONT");
	if (blow == 0 && w.server.broker != -1) {
		spy();
		kill_broker();
	} else if (blow == 1) {
		kill_client();
	}
	gather();
	if (w.server.broker != -1 && one_in(30))
		compact();
	if (w.disk != NULL)
		starve_end(&w.starve);
	start();
	for (n = 0; n < CROWDS; n++)
		checks(&w.crowd[n]);
}

static void
burst(struct crowd *c, struct crowd_client *who)
{
	uint32_t n = 1 + below(BURST_MAX);

	if (!who->up || who->ndue + BURST_MAX + 2 > CROWD_DUE ||
	    (who->ndue > 0 && who->due[who->ndue - 1].type == IPC_OPENED))
		return;
	while (n-- > 0)
		say(c, who);
	barrier(who);
	if (one_in(30))
		reopen(c, who);
}

static void
say(struct crowd *c, struct crowd_client *who)
{
	switch (below(10)) {
	case 0:
		fetch(c, who);
		break;
	case 1:
		signals(c, who);
		break;
	default:
		submit(c, who);
	}
}

static void
submit(struct crowd *c, struct crowd_client *who)
{
	static struct buf scratch;
	struct model_op *op = &w.ops[w.nops + 1];
	struct crowd_due due = { .type = IPC_VERDICT };
	struct msg m;

	memset(op, 0, sizeof(*op));
	op->number = ++w.nops;
	op->size = one_in(20) ? 9000 + below(12000) : 8 + below(600);
	op->session = who->peer.session;
	op->ill = c->ill;
	if (c->model.kind == MODEL_STORE) {
		op->verb = one_in(3) ? MODEL_VALUE : MODEL_PATCH;
		op->key = below(MODEL_KEYS);
		if (op->ill && again(op))
			op->verb = MODEL_PATCH;
	} else {
		believe(op);
	}
	model_submit(op, &m, &scratch);
	due.tag = op->number;
	crowd_say(who, &m, &due);
}

/* The log tells two VALUEs of one key apart by their order alone: no good where
 * one of them may be refused unheard. */
static int
again(const struct model_op *op)
{
	const struct model_op *o;
	int found = 0;

	for (o = &w.ops[w.settled + 1]; o < op; o++)
		found |= o->session == op->session && o->verb == op->verb &&
		    o->key == op->key;
	return (found);
}

/* Mostly what ought to be taken, if those before it are. */
static void
believe(struct model_op *op)
{
	op->id = op->number;
	op->key = below(MODEL_AUTHORS);
	op->verb = w.head == NULL ||
		(w.updates >= MODEL_UPDATES && one_in(2)) || one_in(12)
	    ? MODEL_SNAPSHOT
	    : MODEL_UPDATE;
	if (op->verb == MODEL_UPDATE)
		update(op);
	else
		snapshot(op);
}

static void
update(struct model_op *op)
{
	op->on = w.head->id;
	op->clock = w.clocks[op->key];
	if (one_in(12))
		doubt(op);
	else if (w.updates < MODEL_UPDATES) {
		w.clocks[op->key]++;
		w.updates++;
	}
}

static void
snapshot(struct model_op *op)
{
	op->on = w.head == NULL ? 0 : w.head->id;
	memcpy(op->clocks, w.clocks, sizeof(op->clocks));
	model_proof(w.head, op->proof);
	if (one_in(3)) {
		doubt(op);
		return;
	}
	w.head = op;
	w.updates = 0;
	memset(w.clocks, 0, sizeof(w.clocks));
}

static void
doubt(struct model_op *op)
{
	switch (below(5)) {
	case 0:
		op->on = 1 + below(op->number);
		break;
	case 1:
		op->clock += 1 + below(2);
		op->clocks[below(MODEL_AUTHORS)]++;
		break;
	case 2:
		op->clock -= op->clock > 0;
		op->proof[below(SECSYNC_HASH_LEN)] ^= 1;
		break;
	case 3:
		op->id = w.head == NULL ? op->number : w.head->id;
		break;
	default:
		op->clocks[below(MODEL_AUTHORS)] = 0;
	}
}

static void
fetch(struct crowd *c, struct crowd_client *who)
{
	struct crowd_due due = { .type = IPC_FETCHED, .tag = 1000000 + w.nops };
	struct msg m = MSG(FETCH);

	due.after = below((uint32_t)c->model.seq + 1);
	m.f[fetch_tag].u = due.tag;
	m.f[fetch_what].u = FETCH_LOG;
	m.f[fetch_after].u = due.after;
	m.f[fetch_limit].u = 1 + below(20000);
	crowd_say(who, &m, &due);
}

static void
signals(struct crowd *c, struct crowd_client *who)
{
	static const uint8_t presence = SDS_PRESENCE;
	char author[SECSYNC_KEY_LEN];
	struct buf text = BUF_INIT;
	struct msg m = MSG(SIGNAL);

	crowd_signal_text(c, who, ++who->signals, &text);
	m.f[signal_body].b = buf_bytes(&text);
	if (c->model.kind == MODEL_STORE) {
		m.f[signal_verb].u = SDS_VERB_SIGNAL;
		m.f[signal_ref].b = bytes_of(&presence, 1);
	} else {
		model_author(0, author);
		m.f[signal_verb].u = SECSYNC_EPHEMERAL;
		m.f[signal_author].b = bytes_of(author, sizeof(author));
	}
	crowd_say(who, &m, NULL);
	buf_free(&text);
}

/* When it is answered all that was said before it is visible. */
static void
barrier(struct crowd_client *who)
{
	const struct crowd_due due = { .type = IPC_VERDICT };
	struct msg m = MSG(SYNC);

	crowd_say(who, &m, &due);
}

static void
reopen(struct crowd *c, struct crowd_client *who)
{
	const struct crowd_due due = { .type = IPC_OPENED };
	struct msg close = MSG(CLOSE), open = MSG(OPEN);

	open.f[open_dialect].u = c->dialect;
	open.f[open_name].b = bytes_str(c->name);
	crowd_say(who, &close, NULL);
	crowd_say(who, &open, &due);
}

/* The moment at which somebody is shown something new. */
static void
spy(void)
{
	struct crowd_client *who;
	long tries = SPY_TRIES;
	struct timespec t = { 0, (long)below(1500000) };

	if (one_in(2)) {
		nanosleep(&t, NULL);
		return;
	}
	who = anyone(&w.crowd[below(CROWDS)]);
	if (!who->up || who->lags)
		return;
	while (tries-- > 0 && ring_tail(&who->peer.ring) <= who->peer.position)
		;
}

static void
kill_broker(void)
{
	size_t i, n;

	w.kills++;
	if (!w.crowd[0].ill || !server_gone(&w.server))
		server_stop(&w.server, SERVER_BROKER, 1);
	for (i = 0; i < CROWDS; i++) {
		for (n = 0; n < CROWD_CLIENTS; n++)
			crowd_end(&w.crowd[i], &w.crowd[i].client[n]);
		crowd_end(&w.crowd[i], &w.crowd[i].auditor);
	}
}

/* A worker that is killed leaves answers unread. */
static void
kill_client(void)
{
	struct crowd *c = &w.crowd[below(CROWDS)];
	struct crowd_client *who = anyone(c);
	uint64_t session = who->peer.session;

	if (!who->up)
		return;
	w.hangups++;
	crowd_glance(c, who);
	crowd_drop(who);
	if (c->auditor.up)
		audit_gone(c, session);
}

static void
ill_make(void)
{
	char *path = server_path(&w.server, "count");

	starve_make(&w.starve, path);
	free(path);
	snprintf(w.preload, sizeof(w.preload), "LD_PRELOAD=%s", w.disk);
}

/* A broker, and the auditors; then all is known. */
static void
start(void)
{
	static unsigned long life;
	size_t i, n;
	int ill;

	while (w.server.broker == -1 || !w.crowd[0].auditor.up ||
	    !w.crowd[1].auditor.up) {
		if (w.server.broker != -1)
			kill_broker();
		ill = w.disk != NULL && life++ > 0 && one_in(2);
		w.ill += (unsigned long)ill;
		w.server.environment[0] = ill ? w.preload : NULL;
		w.server.environment[1] = ill ? w.starve.setting : NULL;
		server_start(&w.server, SERVER_BROKER);
		for (i = 0; i < CROWDS; i++) {
			w.crowd[i].ill = ill;
			if (w.server.broker != -1)
				crowd_join(&w.crowd[i], &w.crowd[i].auditor,
				    "write");
		}
	}
	for (i = 0; i < CROWDS; i++)
		audit(&w.crowd[i]);
	audit_rest();
	for (i = 0; i < CROWDS; i++)
		for (n = 0; n < CROWD_CLIENTS; n++)
			crowd_settle(&w.crowd[i], &w.crowd[i].client[n]);
}

/* All answers that are due, and a look at what is shown. */
static void
gather(void)
{
	struct crowd_client *who;
	size_t i, n;

	for (i = 0; i < CROWDS; i++)
		for (n = 0; n < CROWD_CLIENTS; n++) {
			who = &w.crowd[i].client[n];
			if (who->up && crowd_take(&w.crowd[i], who) == 0)
				crowd_glance(&w.crowd[i], who);
		}
	if (w.server.broker != -1 && w.crowd[0].ill && server_gone(&w.server))
		kill_broker();
}

/* What the log has that the model has not, decided again. */
static void
audit(struct crowd *c)
{
	struct msg m = MSG(FETCH);
	struct bytes entries;
	struct entry e;
	int more = 1;

	m.f[fetch_what].u = FETCH_LOG;
	while (more) {
		m.f[fetch_after].u = c->model.seq;
		if (crowd_ask(c, &m) == -1) {
			start();
			return;
		}
		more = c->auditor.peer.m.f[fetched_more].u != 0;
		entries = c->auditor.peer.m.f[fetched_entries].b;
		while (entries.n > 0) {
			if (entry_unpack(&entries, &e) != 1)
				fatalx(1, "malformed entries");
			audit_entry(c, &e);
		}
		if (!more && c->auditor.peer.m.f[fetched_seq].u != c->model.seq)
			fatalx(1, "%s: %llu is not the newest", c->name,
			    (unsigned long long)c->model.seq);
	}
	audit_refused(c);
}

/* It is what its sender sent next. */
static void
audit_entry(struct crowd *c, const struct entry *e)
{
	struct buf record = BUF_INIT;
	struct model_op *op = NULL;
	uint32_t i;
	int same = 0;

	if (e->seq != c->model.seq + 1)
		fatalx(1, "%s: %llu after %llu", c->name,
		    (unsigned long long)e->seq,
		    (unsigned long long)c->model.seq);
	audit_refused(c);
	for (i = w.settled + 1; i <= w.nops && !same; i++) {
		op = &w.ops[i];
		if (op->session != e->origin || op->found ||
		    op->fate == MODEL_REFUSED)
			continue;
		buf_clear(&record);
		model_record(op, &record);
		same = e->kind == model_kind_of(op) &&
		    bytes_eq(e->body, buf_bytes(&record));
		if (!same &&
		    (op->fate == MODEL_TAKEN ||
			(c->model.kind == MODEL_STORE && !op->ill)))
			fatalx(1, "%s: %llu is not %u, which comes first",
			    c->name, (unsigned long long)e->seq, op->number);
	}
	buf_free(&record);
	if (!same)
		fatalx(1, "%s: nobody sent %llu", c->name,
		    (unsigned long long)e->seq);
	if (op->fate == MODEL_TAKEN && op->seq != e->seq)
		fatalx(1, "%s: %u is %llu, not %llu", c->name, op->number,
		    (unsigned long long)e->seq, (unsigned long long)op->seq);
	if (model_decide(&c->model, op) != CODE_OK)
		fatalx(1, "%s: %u was taken as %llu: %s", c->name, op->number,
		    (unsigned long long)e->seq,
		    code_name(model_decide(&c->model, op)));
	op->found = 1;
	op->seq = e->seq;
	w.taken++;
	model_apply(&c->model, op);
}

/* What was refused as things stand now. */
static void
audit_refused(const struct crowd *c)
{
	struct model_op *op;
	enum code code;
	uint32_t i;

	for (i = w.settled + 1; i <= w.nops; i++) {
		op = &w.ops[i];
		if (op->fate != MODEL_REFUSED || op->found ||
		    (op->verb <= MODEL_VALUE) != (c->model.kind == MODEL_STORE))
			continue;
		if (op->seq != c->model.seq)
			continue;
		code = model_decide(&c->model, op);
		if (code != op->code ||
		    (op->head != 0 && op->head != c->model.head_seq))
			fatalx(1, "%s: %u at %llu: %s, not %s", c->name,
			    op->number, (unsigned long long)op->seq,
			    code_name(op->code), code_name(code));
		op->found = 1;
		w.refused++;
	}
}

/* Whoever sent them is gone, or has been told. */
static void
audit_rest(void)
{
	struct model_op *op;

	for (; w.settled < w.nops; w.settled++) {
		op = &w.ops[w.settled + 1];
		if (op->found)
			continue;
		if (op->fate != MODEL_SENT)
			fatalx(1, "%u: %s at %llu, which is not so", op->number,
			    code_name(op->code), (unsigned long long)op->seq);
		op->fate = MODEL_LOST;
	}
}

/* Until the session has left: what it sent has been decided then. */
static void
audit_gone(struct crowd *c, uint64_t session)
{
	struct msg m = MSG(FETCH);
	struct bytes entries;
	struct entry e;
	int there = 1;

	m.f[fetch_what].u = FETCH_ROSTER;
	while (there && crowd_ask(c, &m) == 0) {
		there = 0;
		entries = c->auditor.peer.m.f[fetched_entries].b;
		while (entry_unpack(&entries, &e) == 1)
			there |= e.origin == session;
	}
}

static void
checks(struct crowd *c)
{
	struct crowd_client *who;
	size_t i;

	for (i = 0; i < CROWD_CLIENTS; i++) {
		who = &c->client[i];
		if (!who->up && one_in(2)) {
			if (crowd_join(c, who, "write") == 0)
				crowd_catch_up(c, who,
				    one_in(2)
					? 0
					: below((uint32_t)c->model.seq + 1));
			continue;
		}
		if (!who->up)
			continue;
		if (who->lags && !one_in(6))
			continue;
		who->lags = 0;
		if (crowd_read(c, who) == 0)
			crowd_heard(c, who);
		if (one_in(25)) {
			w.lags++;
			who->lags = 1;
		}
	}
	if (one_in(5) && c->model.kind == MODEL_STORE)
		crowd_check_values(c);
	if (one_in(5) && c->model.kind == MODEL_CHAIN)
		crowd_check_clocks(c);
}

/* Alone, or struck down in the middle of it. */
static void
compact(void)
{
	const char *b = getenv("QUIRE_B");
	struct timespec t = { 0, (long)below(20000000) };
	char command[1024];
	pid_t pid;

	start();
	model_compact(&w.crowd[0].model);
	model_compact(&w.crowd[1].model);
	snprintf(command, sizeof(command),
	    "exec %s/quirectl -f %s/conf compact >/dev/null 2>&1",
	    b == NULL ? ".build" : b, w.server.dir);
	if ((pid = fork()) == -1)
		fatal(1, "fork");
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (one_in(3)) {
		nanosleep(&t, NULL);
		kill_broker();
	}
	waitpid(pid, NULL, 0);
}

static struct crowd_client *
anyone(struct crowd *c)
{
	return (&c->client[below(CROWD_CLIENTS)]);
}

static int
one_in(uint32_t n)
{
	return (below(n) == 0);
}

static uint32_t
below(uint32_t n)
{
	return ((uint32_t)random() % n);
}

/*
 * The real broker over its real socket, spoken to as a worker would: the words
 * of ipc.def in order and out of order, the ring, and what survives kill -9.
 */
#include <sys/types.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "broker/broker.h"
#include "broker/keyring.h"
#include "broker/token.h"
#include "common/base64url.h"
#include "common/chan.h"
#include "common/codes.h"
#include "common/dialects.h"
#include "common/jwt.h"
#include "common/limits.h"
#include "common/ring.h"
#include "common/sds.h"
#include "common/wire.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static char dir[64];
static pid_t broker;
static struct keyring *keys;

/* One worker of the test's. */
struct peer {
	struct chan chan;
	struct msg m;
	struct ring ring;
	uint64_t session;
	uint64_t position;
	int bell;
};

static void
path_of(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%s/%s", dir, name);
}

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	path_of(path, sizeof(path), name);
	assert_non_null(f = fopen(path, "w"));
	fputs(text, f);
	fclose(f);
	chmod(path, 0600);
}

static void
broker_start(void)
{
	char conf[128], exe[512];
	const char *b = getenv("QUIRE_B");
	int ready[2];
	char c;

	path_of(conf, sizeof(conf), "conf");
	snprintf(exe, sizeof(exe), "%s/quired", b == NULL ? ".build" : b);
	assert_int_equal(pipe(ready), 0);
	if ((broker = fork()) == 0) {
		char fd[16];

		close(ready[0]);
		snprintf(fd, sizeof(fd), "%d", ready[1]);
		execl(exe, "quired", "-d", "-f", conf, "-r", fd, (char *)NULL);
		_exit(127);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
}

static void
broker_kill(int sig)
{
	int status;

	kill(broker, sig);
	assert_int_equal(waitpid(broker, &status, 0), broker);
	if (sig == SIGTERM)
		assert_int_equal(status, 0);
}

static void
write_conf(const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
	    "user \"\"\ndata %s/data\nsocket %s/s\ncontrol %s/c\nkeys "
	    "%s/keys\nring_bytes 64K\nsessions_max 64\n%s",
	    dir, dir, dir, dir, more);
	write_file("conf", text);
}

static int
setup(void **state)
{
	char path[128];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/quire-broker-XXXXXX");
	assert_non_null(mkdtemp(dir));
	path_of(path, sizeof(path), "data");
	assert_int_equal(mkdir(path, 0700), 0);
	write_conf("");
	write_file("keys", SECRET "\n");
	path_of(path, sizeof(path), "keys");
	assert_non_null(keys = keyring_load(path));
	broker_start();
	return (0);
}

static int
teardown(void **state)
{
	char cmd[128];

	(void)state;
	broker_kill(SIGTERM);
	keyring_free(keys);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (system(cmd));
}

static void
peer_flush(struct peer *p)
{
	while (chan_flush(&p->chan) == 1) {
		struct pollfd pfd = { p->chan.fd, POLLOUT, 0 };

		assert_true(poll(&pfd, 1, 10000) == 1);
	}
}

static void
peer_send(struct peer *p, const struct msg *m)
{
	assert_int_equal(chan_send(&p->chan, m), 0);
	peer_flush(p);
}

/* The next message: its type, or 0 when the broker has closed. */
static unsigned int
peer_next(struct peer *p)
{
	struct pollfd pfd = { p->chan.fd, POLLIN, 0 };
	int r;

	for (;;) {
		if ((r = chan_next(&p->chan, &p->m)) == 1)
			return (p->m.type);
		assert_int_equal(r, 0);
		assert_int_equal(poll(&pfd, 1, 10000), 1);
		if (chan_read(&p->chan) == -1)
			return (
			    chan_next(&p->chan, &p->m) == 1 ? p->m.type : 0);
	}
}

static void
peer_hello(struct peer *p)
{
	struct msg m = MSG(HELLO);
	char path[128];
	int fd;

	memset(p, 0, sizeof(*p));
	p->ring.fd = p->bell = -1;
	path_of(path, sizeof(path), "s");
	assert_int_not_equal(fd = chan_connect(path), -1);
	chan_init(&p->chan, fd, IPC_FROM_BROKER, 1);
	m.f[hello_version].u = IPC_VERSION;
	m.f[hello_peer].b = BYTES_LIT("test");
	peer_send(p, &m);
	assert_int_equal(peer_next(p), IPC_WELCOME);
	p->session = p->m.f[welcome_session].u;
}

/* Not sent yet. */
static void
peer_login_say(struct peer *p, const char *store, const char *aud,
    enum scope scope, int64_t ttl)
{
	struct msg m = MSG(LOGIN);
	struct buf token = BUF_INIT;
	struct bytes a = bytes_str(aud), input, mac64;
	uint8_t mac[64];
	ssize_t n;
	struct token_mint mint = { .sub = BYTES_LIT("tester"),
		.aud = &a,
		.aud_n = 1,
		.scope = scope,
		.iat = time(NULL),
		.exp = time(NULL) + ttl };

	assert_int_equal(token_mint(keys, NULL, &mint, &token), 0);
	assert_int_equal(token_split(buf_bytes(&token), &input, &mac64), 0);
	n = base64url_decode(mac, sizeof(mac), mac64);
	assert_true(n > 0);
	m.f[login_dialect].u = DIALECT_SDS;
	m.f[login_input].b = input;
	m.f[login_mac].b = bytes_of(mac, (size_t)n);
	m.f[login_store].b = bytes_str(store);
	assert_int_equal(chan_send(&p->chan, &m), 0);
	buf_free(&token);
}

static unsigned int
peer_login(struct peer *p, const char *store, const char *aud, enum scope scope,
    int64_t ttl)
{
	peer_login_say(p, store, aud, scope, ttl);
	peer_flush(p);
	return (peer_next(p));
}

/* OPEN, and a FETCH of its log. */
static void
peer_open_say(struct peer *p, const char *name)
{
	struct msg open = MSG(OPEN), fetch = MSG(FETCH);

	open.f[open_dialect].u = DIALECT_SDS;
	open.f[open_name].b = bytes_str(name);
	fetch.f[fetch_tag].u = 5;
	fetch.f[fetch_what].u = FETCH_LOG;
	assert_int_equal(chan_send(&p->chan, &open), 0);
	assert_int_equal(chan_send(&p->chan, &fetch), 0);
}

static enum code
peer_open(struct peer *p, const char *name)
{
	struct msg m = MSG(OPEN);

	m.f[open_dialect].u = DIALECT_SDS;
	m.f[open_name].b = bytes_str(name);
	peer_send(p, &m);
	assert_int_equal(peer_next(p), IPC_OPENED);
	if (p->m.f[opened_code].u != CODE_OK)
		return ((enum code)p->m.f[opened_code].u);
	p->position = p->m.f[opened_position].u;
	assert_int_equal(ring_attach(&p->ring, chan_take_fd(&p->chan),
			     (size_t)p->m.f[opened_ring].u),
	    0);
	p->bell = chan_take_fd(&p->chan);
	assert_int_not_equal(p->bell, -1);
	return (CODE_OK);
}

static void
peer_join(struct peer *p, const char *store, enum scope scope)
{
	peer_hello(p);
	assert_int_equal(peer_login(p, store, store, scope, 600), IPC_GRANT);
	assert_int_equal(peer_open(p, store), CODE_OK);
}

static void
peer_submit(struct peer *p, uint64_t verb, struct bytes body)
{
	struct msg m = MSG(SUBMIT);

	m.f[submit_tag].u = 7;
	m.f[submit_verb].u = verb;
	m.f[submit_body].b = body;
	peer_send(p, &m);
}

static uint64_t
peer_patch(struct peer *p, struct bytes body)
{
	peer_submit(p, SDS_VERB_PATCH, body);
	assert_int_equal(peer_next(p), IPC_VERDICT);
	assert_int_equal(p->m.f[verdict_tag].u, 7);
	assert_int_equal(p->m.f[verdict_code].u, CODE_OK);
	return (p->m.f[verdict_seq].u);
}

static void
peer_leave(struct peer *p)
{
	chan_close(&p->chan);
	ring_close(&p->ring);
	if (p->bell != -1)
		close(p->bell);
}

/* The kick comes with its code, then the broker closes. */
static void
peer_kicked(struct peer *p, enum code code)
{
	assert_int_equal(peer_next(p), IPC_KICK);
	assert_int_equal(p->m.f[kick_code].u, code);
	assert_int_equal(peer_next(p), 0);
	peer_leave(p);
}

static void
a_patch_is_numbered_and_stands_in_the_ring_as_a_frame(void **state)
{
	static const uint8_t frame[] = { 0x82, 3, 1, 'h', 'i' };
	const struct ring_entry *e;
	struct peer a, b;
	uint64_t pos;

	(void)state;
	peer_join(&a, "one", SCOPE_WRITE);
	peer_join(&b, "one", SCOPE_READ);
	pos = b.position;
	assert_int_equal(peer_patch(&a, BYTES_LIT("hi")), 1);
	assert_int_equal(ring_peek(&b.ring, &pos, &e), 1);
	assert_int_equal(e->seq, 1);
	assert_int_equal(e->origin, a.session);
	assert_int_equal(e->flags & RING_SKIP_ORIGIN, RING_SKIP_ORIGIN);
	assert_int_equal(e->frame, sizeof(frame));
	assert_memory_equal(ring_frame(e).p, frame, sizeof(frame));
	assert_int_equal(a.m.f[verdict_position].u, pos + e->size);
	peer_leave(&a);
	peer_leave(&b);
}

static void
a_late_opener_gets_number_and_position_that_meet(void **state)
{
	struct msg m = MSG(FETCH);
	struct peer a, b;
	struct entry e;
	struct bytes in;
	const struct ring_entry *r;
	uint64_t pos;

	(void)state;
	peer_join(&a, "late", SCOPE_WRITE);
	peer_patch(&a, BYTES_LIT("x"));
	peer_patch(&a, BYTES_LIT("y"));
	peer_join(&b, "late", SCOPE_READ);
	assert_int_equal(b.m.f[opened_seq].u, 2);
	pos = b.position;
	assert_int_equal(ring_peek(&b.ring, &pos, &r), 0);
	peer_patch(&a, BYTES_LIT("z"));
	assert_int_equal(ring_peek(&b.ring, &pos, &r), 1);
	assert_int_equal(r->seq, 3);
	m.f[fetch_what].u = FETCH_LOG;
	m.f[fetch_upto].u = 2;
	peer_send(&b, &m);
	assert_int_equal(peer_next(&b), IPC_FETCHED);
	in = b.m.f[fetched_entries].b;
	assert_int_equal(entry_unpack(&in, &e), 1);
	assert_int_equal(e.seq, 1);
	assert_int_equal(e.origin, a.session);
	assert_true(bytes_eq(e.body, BYTES_LIT("x")));
	assert_int_equal(entry_unpack(&in, &e), 1);
	assert_int_equal(entry_unpack(&in, &e), 0);
	peer_leave(&a);
	peer_leave(&b);
}

static void
what_was_acknowledged_is_there_after_kill_9(void **state)
{
	struct peer a;
	uint64_t seq;

	(void)state;
	peer_join(&a, "kept", SCOPE_WRITE);
	peer_patch(&a, BYTES_LIT("1"));
	seq = peer_patch(&a, BYTES_LIT("2"));
	broker_kill(SIGKILL);
	peer_leave(&a);
	broker_start();
	peer_join(&a, "kept", SCOPE_WRITE);
	assert_int_equal(a.m.f[opened_seq].u, seq);
	assert_int_equal(peer_patch(&a, BYTES_LIT("3")), seq + 1);
	peer_leave(&a);
}

static void
what_was_sent_before_a_hangup_counts(void **state)
{
	struct peer a;
	int i;

	(void)state;
	peer_join(&a, "hangup", SCOPE_WRITE);
	for (i = 0; i < 500; i++)
		peer_submit(&a, SDS_VERB_PATCH, BYTES_LIT("body"));
	peer_leave(&a);
	/* The next opener's place in the queue is behind all of them. */
	for (i = 0; i < 1000; i++) {
		peer_join(&a, "hangup", SCOPE_READ);
		if (a.m.f[opened_seq].u == 500)
			break;
		peer_leave(&a);
	}
	assert_int_equal(a.m.f[opened_seq].u, 500);
	peer_leave(&a);
}

static void
a_read_grant_cannot_submit(void **state)
{
	struct peer a;

	(void)state;
	peer_join(&a, "ro", SCOPE_READ);
	peer_submit(&a, SDS_VERB_PATCH, BYTES_LIT("no"));
	peer_kicked(&a, CODE_NO_SCOPE);
}

static void
a_grant_for_one_store_does_not_open_another(void **state)
{
	struct peer a;

	(void)state;
	peer_hello(&a);
	assert_int_equal(peer_login(&a, "x", "x", SCOPE_WRITE, 600), IPC_GRANT);
	assert_int_equal(peer_open(&a, "y"), CODE_WRONG_STORE);
	peer_leave(&a);
	peer_hello(&a);
	assert_int_equal(peer_login(&a, "y", "x", SCOPE_WRITE, 600),
	    IPC_REFUSED);
	assert_int_equal(a.m.f[refused_code].u, CODE_WRONG_STORE);
	peer_leave(&a);
	peer_hello(&a);
	assert_int_equal(peer_login(&a, "x", "x", SCOPE_WRITE, -5),
	    IPC_REFUSED);
	assert_int_equal(a.m.f[refused_code].u, CODE_EXPIRED);
	peer_leave(&a);
}

/* As its timer, a token that is checked, and a worker see it. */
static void
a_grant_ends_as_its_second_begins(void **state)
{
	const struct session s = { .until_s = 1000 }, unlimited = { 0 };

	(void)state;
	assert_false(session_ended(&s, 999));
	assert_true(session_ended(&s, 1000));
	assert_true(session_ended(&s, 1001));
	assert_false(session_ended(&unlimited, 1001));
}

static void
a_document_opened_behind_a_close_is_the_one_that_was_named(void **state)
{
	struct msg open = MSG(OPEN), close = MSG(CLOSE);
	struct peer a;

	(void)state;
	peer_join(&a, "rooms", SCOPE_WRITE);
	peer_patch(&a, BYTES_LIT("in the first"));
	open.f[open_dialect].u = DIALECT_SDS;
	open.f[open_room].u = 1;
	open.f[open_name].b = BYTES_LIT("rooms");
	peer_send(&a, &close);
	peer_send(&a, &open);
	assert_int_equal(peer_next(&a), IPC_OPENED);
	assert_int_equal(a.m.f[opened_code].u, CODE_OK);
	assert_int_equal(a.m.f[opened_seq].u, 0);
	peer_leave(&a);
}

static void
what_is_asked_along_with_a_login_is_answered_behind_it(void **state)
{
	struct bytes in;
	struct entry e;
	struct peer a, b;

	(void)state;
	peer_join(&a, "along", SCOPE_WRITE);
	peer_patch(&a, BYTES_LIT("was there"));
	peer_hello(&b);
	peer_login_say(&b, "along", "along", SCOPE_READ, 600);
	peer_open_say(&b, "along");
	peer_flush(&b);
	assert_int_equal(peer_next(&b), IPC_GRANT);
	assert_int_equal(peer_next(&b), IPC_OPENED);
	assert_int_equal(b.m.f[opened_code].u, CODE_OK);
	assert_int_equal(b.m.f[opened_seq].u, 1);
	close(chan_take_fd(&b.chan));
	close(chan_take_fd(&b.chan));
	assert_int_equal(peer_next(&b), IPC_FETCHED);
	assert_int_equal(b.m.f[fetched_tag].u, 5);
	assert_int_equal(b.m.f[fetched_seq].u, 1);
	in = b.m.f[fetched_entries].b;
	assert_int_equal(entry_unpack(&in, &e), 1);
	assert_int_equal(e.seq, 1);
	peer_leave(&a);
	peer_leave(&b);
}

static void
behind_a_login_that_is_refused_nothing_is_opened(void **state)
{
	struct peer a;

	(void)state;
	peer_hello(&a);
	peer_login_say(&a, "mine", "another", SCOPE_WRITE, 600);
	peer_open_say(&a, "mine");
	peer_flush(&a);
	assert_int_equal(peer_next(&a), IPC_REFUSED);
	assert_int_equal(peer_login(&a, "mine", "mine", SCOPE_READ, 600),
	    IPC_GRANT);
	assert_int_equal(peer_open(&a, "mine"), CODE_OK);
	peer_leave(&a);
}

static void
behind_an_open_that_is_refused_nothing_is_fetched(void **state)
{
	struct peer a;

	(void)state;
	peer_hello(&a);
	peer_login_say(&a, "mine", "mine", SCOPE_READ, 600);
	peer_open_say(&a, "another");
	peer_flush(&a);
	assert_int_equal(peer_next(&a), IPC_GRANT);
	assert_int_equal(peer_next(&a), IPC_OPENED);
	assert_int_equal(a.m.f[opened_code].u, CODE_WRONG_STORE);
	assert_int_equal(peer_next(&a), IPC_FETCHED);
	assert_int_equal(a.m.f[fetched_code].u, CODE_BAD_STATE);
	assert_int_equal(a.m.f[fetched_entries].b.n, 0);
	assert_int_equal(peer_open(&a, "mine"), CODE_OK);
	peer_leave(&a);
}

static void
messages_out_of_their_state_end_the_session(void **state)
{
	struct msg open = MSG(OPEN), hello = MSG(HELLO), fetch = MSG(FETCH);
	struct peer a;

	(void)state;
	peer_hello(&a);
	open.f[open_dialect].u = DIALECT_SDS;
	peer_send(&a, &open);
	peer_kicked(&a, CODE_BAD_STATE);
	peer_hello(&a);
	hello.f[hello_version].u = IPC_VERSION;
	peer_send(&a, &hello);
	peer_kicked(&a, CODE_BAD_STATE);
	peer_hello(&a);
	peer_submit(&a, SDS_VERB_PATCH, BYTES_LIT("early"));
	peer_kicked(&a, CODE_BAD_STATE);
	peer_hello(&a);
	assert_int_equal(peer_login(&a, "x", "x", SCOPE_READ, 600), IPC_GRANT);
	peer_send(&a, &fetch);
	peer_kicked(&a, CODE_BAD_STATE);
	peer_join(&a, "verb", SCOPE_ADMIN);
	peer_submit(&a, 999, BYTES_LIT("?"));
	peer_kicked(&a, CODE_NO_SCOPE);
	peer_join(&a, "mint", SCOPE_WRITE);
	peer_send(&a, &(struct msg)MSG(MINT));
	peer_kicked(&a, CODE_NO_SCOPE);
}

static void
garbage_and_brokers_own_words_end_the_session(void **state)
{
	static const uint8_t junk[] = { 5, 0, 0, 0, 0xdd, 0xff, 0xff, 0xff,
		0xff };
	struct msg verdict = MSG(VERDICT);
	struct peer a;

	(void)state;
	peer_hello(&a);
	assert_int_equal(write(a.chan.fd, junk, sizeof(junk)), sizeof(junk));
	peer_kicked(&a, CODE_BAD_MESSAGE);
	peer_hello(&a);
	peer_send(&a, &verdict);
	peer_kicked(&a, CODE_BAD_MESSAGE);
}

static void
the_ring_cannot_be_mapped_for_writing(void **state)
{
	struct peer a;
	uint8_t c = 0;

	(void)state;
	peer_join(&a, "seal", SCOPE_WRITE);
	assert_int_equal(write(a.ring.fd, &c, 1), -1);
	assert_int_equal(write(a.bell, &c, 1), -1);
	assert_int_equal(ftruncate(a.ring.fd, 1), -1);
	peer_leave(&a);
}

static void
a_large_body_travels_as_a_blob_and_comes_back_whole(void **state)
{
	struct msg put = MSG(BLOB_PUT), data = MSG(BLOB_DATA),
		   done = MSG(BLOB_DONE), sub = MSG(SUBMIT), f = MSG(FETCH);
	static uint8_t slice[BLOB_SLICE_BYTES];
	const struct ring_entry *r;
	uint64_t blob, pos, off = 0, got = 0;
	struct bytes in;
	struct entry e;
	struct peer a;
	uint8_t at[8];
	int i;

	(void)state;
	peer_join(&a, "large", SCOPE_WRITE);
	pos = a.position;
	put.f[blob_put_keep].u = 1;
	peer_send(&a, &put);
	for (i = 0; i < 20; i++) {
		memset(slice, 'a' + i, sizeof(slice));
		data.f[blob_data_body].b =
		    bytes_of(slice, i < 19 ? sizeof(slice) : 100);
		peer_send(&a, &data);
	}
	done.f[blob_done_tag].u = 9;
	peer_send(&a, &done);
	assert_int_equal(peer_next(&a), IPC_VERDICT);
	assert_int_equal(a.m.f[verdict_code].u, CODE_OK);
	blob = a.m.f[verdict_seq].u;
	sub.f[submit_verb].u = SDS_VERB_PATCH;
	sub.f[submit_blob].u = blob;
	peer_send(&a, &sub);
	assert_int_equal(peer_next(&a), IPC_VERDICT);
	assert_int_equal(a.m.f[verdict_code].u, CODE_OK);
	assert_int_equal(ring_peek(&a.ring, &pos, &r), 1);
	assert_int_equal(r->flags & RING_STUB, RING_STUB);
	f.f[fetch_what].u = FETCH_LOG;
	peer_send(&a, &f);
	assert_int_equal(peer_next(&a), IPC_FETCHED);
	in = a.m.f[fetched_entries].b;
	assert_int_equal(entry_unpack(&in, &e), 1);
	assert_int_equal(e.flags & ENTRY_BLOB, ENTRY_BLOB);
	assert_int_equal(e.size, 19 * sizeof(slice) + 100);
	f.f[fetch_what].u = FETCH_BLOB;
	f.f[fetch_after].u = e.blob;
	while (got < 19 * sizeof(slice) + 100) {
		be64_put(at, off);
		f.f[fetch_from].b = bytes_of(at, 8);
		peer_send(&a, &f);
		assert_int_equal(peer_next(&a), IPC_FETCHED);
		in = a.m.f[fetched_entries].b;
		assert_int_equal(entry_unpack(&in, &e), 1);
		assert_true(e.body.n > 0);
		assert_int_equal(e.body.p[0], 'a' + off / sizeof(slice));
		got += e.body.n;
		off += e.body.n;
	}
	assert_int_equal(got, 19 * sizeof(slice) + 100);
	peer_leave(&a);
}

static void
a_blob_that_was_never_sent_is_refused(void **state)
{
	struct msg sub = MSG(SUBMIT);
	struct peer a;

	(void)state;
	peer_join(&a, "forged", SCOPE_WRITE);
	sub.f[submit_verb].u = SDS_VERB_PATCH;
	sub.f[submit_blob].u = 1;
	peer_send(&a, &sub);
	assert_int_equal(peer_next(&a), IPC_VERDICT);
	assert_int_equal(a.m.f[verdict_code].u, CODE_INVALID);
	peer_leave(&a);
}

static void
below_the_floor_of_free_space_only_admins_write(void **state)
{
	struct peer a;

	(void)state;
	broker_kill(SIGTERM);
	write_conf("free_floor_bytes 1000G\n");
	broker_start();
	peer_join(&a, "full", SCOPE_WRITE);
	peer_submit(&a, SDS_VERB_PATCH, BYTES_LIT("no room"));
	assert_int_equal(peer_next(&a), IPC_VERDICT);
	assert_int_equal(a.m.f[verdict_code].u, CODE_STORAGE);
	peer_leave(&a);
	peer_join(&a, "full", SCOPE_ADMIN);
	assert_int_equal(peer_patch(&a, BYTES_LIT("all the same")), 1);
	peer_leave(&a);
	broker_kill(SIGTERM);
	write_conf("");
	broker_start();
}

static enum code
peer_refusal(struct peer *p, struct bytes body)
{
	peer_submit(p, SDS_VERB_PATCH, body);
	assert_int_equal(peer_next(p), IPC_VERDICT);
	return ((enum code)p->m.f[verdict_code].u);
}

static void
over_its_quota_a_store_is_only_read(void **state)
{
	static uint8_t large[2000];
	struct peer a;

	(void)state;
	broker_kill(SIGTERM);
	write_conf("store_bytes_max 2K\nstore_records_max 3\n");
	broker_start();
	peer_join(&a, "bytes", SCOPE_WRITE);
	assert_int_equal(peer_refusal(&a, bytes_of(large, 1000)), CODE_OK);
	assert_int_equal(peer_refusal(&a, bytes_of(large, 1000)), CODE_QUOTA);
	assert_int_equal(peer_refusal(&a, BYTES_LIT("small")), CODE_OK);
	peer_leave(&a);
	peer_join(&a, "bytes", SCOPE_ADMIN);
	assert_int_equal(peer_refusal(&a, bytes_of(large, 2000)), CODE_OK);
	peer_leave(&a);
	peer_join(&a, "records", SCOPE_WRITE);
	assert_int_equal(peer_refusal(&a, BYTES_LIT("1")), CODE_OK);
	assert_int_equal(peer_refusal(&a, BYTES_LIT("2")), CODE_OK);
	assert_int_equal(peer_refusal(&a, BYTES_LIT("3")), CODE_OK);
	assert_int_equal(peer_refusal(&a, BYTES_LIT("4")), CODE_QUOTA);
	peer_leave(&a);
	broker_kill(SIGTERM);
	write_conf("");
	broker_start();
}

/* Of the document while it is open; what is left by a CLOSE is not. */
static void
how_large_a_message_may_be_is_told_of_each_document(void **state)
{
	struct msg leave = MSG(CLOSE);
	struct peer a;

	(void)state;
	broker_kill(SIGTERM);
	write_conf("sds_aud_exact no\nstore_message_max 200\n"
		   "store_limits sds:own message=100\n"
		   "subject_limits test* message=150\n");
	broker_start();
	peer_hello(&a);
	assert_int_equal(peer_login(&a, "own", "o*", SCOPE_WRITE, 600),
	    IPC_GRANT);
	assert_int_equal(a.m.f[grant_message_max].u, 150);
	assert_int_equal(peer_open(&a, "own"), CODE_OK);
	assert_int_equal(a.m.f[opened_message_max].u, 100);
	assert_int_equal(peer_login(&a, "own", "o*", SCOPE_WRITE, 600),
	    IPC_GRANT);
	assert_int_equal(a.m.f[grant_message_max].u, 100);
	assert_int_equal(chan_send(&a.chan, &leave), 0);
	assert_int_equal(peer_login(&a, "other", "o*", SCOPE_WRITE, 600),
	    IPC_GRANT);
	assert_int_equal(a.m.f[grant_message_max].u, 150);
	ring_close(&a.ring);
	close(a.bell);
	assert_int_equal(peer_open(&a, "other"), CODE_OK);
	assert_int_equal(a.m.f[opened_message_max].u, 150);
	peer_leave(&a);
	broker_kill(SIGTERM);
	write_conf("");
	broker_start();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_patch_is_numbered_and_stands_in_the_ring_as_a_frame),
		cmocka_unit_test(
		    a_late_opener_gets_number_and_position_that_meet),
		cmocka_unit_test(what_was_acknowledged_is_there_after_kill_9),
		cmocka_unit_test(what_was_sent_before_a_hangup_counts),
		cmocka_unit_test(a_read_grant_cannot_submit),
		cmocka_unit_test(a_grant_for_one_store_does_not_open_another),
		cmocka_unit_test(a_grant_ends_as_its_second_begins),
		cmocka_unit_test(
		    a_document_opened_behind_a_close_is_the_one_that_was_named),
		cmocka_unit_test(
		    what_is_asked_along_with_a_login_is_answered_behind_it),
		cmocka_unit_test(
		    behind_a_login_that_is_refused_nothing_is_opened),
		cmocka_unit_test(
		    behind_an_open_that_is_refused_nothing_is_fetched),
		cmocka_unit_test(messages_out_of_their_state_end_the_session),
		cmocka_unit_test(garbage_and_brokers_own_words_end_the_session),
		cmocka_unit_test(the_ring_cannot_be_mapped_for_writing),
		cmocka_unit_test(
		    a_large_body_travels_as_a_blob_and_comes_back_whole),
		cmocka_unit_test(a_blob_that_was_never_sent_is_refused),
		cmocka_unit_test(
		    below_the_floor_of_free_space_only_admins_write),
		cmocka_unit_test(over_its_quota_a_store_is_only_read),
		cmocka_unit_test(
		    how_large_a_message_may_be_is_told_of_each_document),
	};

	if (sodium_init() == -1)
		return (1);
	signal(SIGPIPE, SIG_IGN);
	return (cmocka_run_group_tests(tests, setup, teardown));
}

/*
 * A worker that was taken over, with the descriptors and the token of its
 * client and nothing else, tries what it can say to the broker.  The broker
 * refuses each by name, keeps its memory in bounds, and serves the others.
 */
#include <sys/socket.h>

#include <string.h>
#include <unistd.h>

#include "common/dialects.h"
#include "common/limits.h"
#include "common/log.h"
#include "common/sds.h"
#include "common/wire.h"
#include "tests/lib/honest.h"

#define MANY 40

static void
refuse(struct honest *h, struct peer *p, const struct msg *m, enum code code)
{
	peer_send(p, m);
	honest_traffic(h);
	peer_kicked(p, code);
}

static void
code_is(enum code is, enum code code)
{
	if (is != code)
		fatalx(1, "%s, not %s", code_name(is), code_name(code));
}

/* An open document and a message that would change it. */
static void
patch(struct msg *m)
{
	*m = (struct msg)MSG(SUBMIT);
	m->f[submit_verb].u = SDS_VERB_PATCH;
	m->f[submit_body].b = BYTES_LIT("mine");
}

static void
other_documents(struct honest *h)
{
	struct msg fetch = MSG(FETCH);
	struct peer p;

	peer_hello(&p, &h->server);
	if (peer_login(&p, &h->server, "mine", "admin", 600) != IPC_GRANT)
		fatalx(1, "login");
	code_is(peer_open(&p, "honest", BYTES_NONE), CODE_WRONG_STORE);
	code_is(peer_open(&p, "", BYTES_NONE), CODE_WRONG_STORE);
	code_is(peer_open(&p, "mine*", BYTES_NONE), CODE_WRONG_STORE);
	refuse(h, &p, &fetch, CODE_BAD_STATE);
}

static void
writes_and_mints_of_a_reader(struct honest *h)
{
	struct msg submit, signal = MSG(SIGNAL), mint = MSG(MINT),
			   put = MSG(BLOB_PUT);
	struct peer p;

	patch(&submit);
	peer_join(&p, &h->server, "honest", "read");
	refuse(h, &p, &submit, CODE_NO_SCOPE);
	peer_join(&p, &h->server, "honest", "read");
	signal.f[signal_verb].u = SDS_VERB_SIGNAL_WRITE;
	refuse(h, &p, &signal, CODE_NO_SCOPE);
	peer_join(&p, &h->server, "honest", "read");
	signal.f[signal_verb].u = SDS_VERB_PATCH;
	refuse(h, &p, &signal, CODE_NO_SCOPE);
	peer_join(&p, &h->server, "honest", "read");
	put.f[blob_put_keep].u = 1;
	refuse(h, &p, &put, CODE_NO_SCOPE);
	peer_join(&p, &h->server, "honest", "write");
	mint.f[mint_scope].b = BYTES_LIT("admin");
	refuse(h, &p, &mint, CODE_NO_SCOPE);
}

/* Admin of its own document, reader of the other: never admin of the other. */
static void
a_second_tokens_scope(struct honest *h)
{
	struct msg submit, close = MSG(CLOSE);
	struct peer p;

	patch(&submit);
	peer_join(&p, &h->server, "honest", "read");
	if (peer_login(&p, &h->server, "mine", "admin", 600) != IPC_REFUSED)
		fatalx(1, "another document's token was taken");
	code_is((enum code)p.m.f[refused_code].u, CODE_WRONG_STORE);
	refuse(h, &p, &submit, CODE_NO_SCOPE);
	/* Not even between leaving and having left. */
	peer_join(&p, &h->server, "honest", "read");
	peer_send(&p, &close);
	if (peer_login(&p, &h->server, "mine", "admin", 600) != IPC_GRANT)
		fatalx(1, "who leaves cannot log in again");
	refuse(h, &p, &submit, CODE_BAD_STATE);
}

static void
grants_expired_forged_and_guessed(struct honest *h)
{
	struct msg login = MSG(LOGIN);
	struct peer p;
	int i;

	peer_hello(&p, &h->server);
	if (peer_login(&p, &h->server, "honest", "read", -5) != IPC_REFUSED)
		fatalx(1, "an expired token was taken");
	code_is((enum code)p.m.f[refused_code].u, CODE_EXPIRED);
	login.f[login_dialect].u = DIALECT_SDS;
	login.f[login_input].b = BYTES_LIT("eyJhbGciOiJub25lIn0.e30");
	for (i = 2; i < 64; i++) {
		peer_send(&p, &login);
		peer_want(&p, IPC_REFUSED);
		code_is((enum code)p.m.f[refused_code].u, CODE_BAD_TOKEN);
	}
	peer_send(&p, &login);
	peer_want(&p, IPC_REFUSED);
	peer_kicked(&p, CODE_BAD_TOKEN);
}

static const struct forged {
	const char *octets;
	size_t n;
} forged[] = {
#define FORGED(s)                                                              \
	{                                                                      \
		s, sizeof(s) - 1                                               \
	}
	FORGED("\0\0\0\0"),			  /* empty */
	FORGED("\1\0\0\0\x90"),			  /* no type */
	FORGED("\xff\xff\xff\xff"),		  /* 4 GiB */
	FORGED("\1\0\5\0\x9b\x08"),		  /* over the limit */
	FORGED("\x05\0\0\0\xdd\xff\xff\xff\xff"), /* 2^32 fields */
	FORGED("\x05\0\0\0\xdf\xff\xff\xff\xff"), /* a map of them */
	FORGED("\x08\0\0\0\x91\x91\x91\x91\x91\x91\x91\x91"),
	FORGED("\2\0\0\0\x91\x7f"),			/* no such type */
	FORGED("\2\0\0\0\x91\0"),			/* type 0 */
	FORGED("\2\0\0\0\x9f\x15"),			/* too many fields */
	FORGED("\2\0\0\0\x91\x15"),			/* too few */
	FORGED("\3\0\0\0\x91\x13\0"),			/* one more octet */
	FORGED("\3\0\0\0\x92\x15\xc0"),			/* nil */
	FORGED("\4\0\0\0\x92\x15\xcc\1"),		/* not the shortest */
	FORGED("\3\0\0\0\x92\x15\xff"),			/* negative */
	FORGED("\7\0\0\0\x92\x0b\xc6\xff\xff\xff\xff"), /* 4 GiB card */
	FORGED("\4\0\0\0\x92\x0b\xa1x"),		/* text for octets */
	FORGED("\4\0\0\0\x92\x0b\xc4\1"),		/* one octet short */
#undef FORGED
};

static void
forged_frames(struct honest *h)
{
	struct peer p;
	size_t i;

	honest_mark(h);
	for (i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		peer_join(&p, &h->server, "honest", "read");
		peer_raw(&p, bytes_of(forged[i].octets, forged[i].n));
		peer_kicked(&p, CODE_BAD_MESSAGE);
	}
	honest_grown(h, 4096);
}

static void
the_brokers_own_words(struct honest *h)
{
	const struct ipc_row *row;
	struct peer p;
	struct msg m;
	unsigned int type;

	for (type = 0; type < IPC_COUNT; type++) {
		if ((row = ipc_row(type)) == NULL ||
		    row->sender == IPC_FROM_WORKER)
			continue;
		m = (struct msg){ .type = type };
		peer_join(&p, &h->server, "honest", "write");
		refuse(h, &p, &m, CODE_BAD_MESSAGE);
	}
}

static void
words_before_their_time(struct honest *h)
{
	const struct ipc_row *row;
	struct peer p;
	struct msg m;
	unsigned int type;

	for (type = 0; type < IPC_COUNT; type++) {
		if ((row = ipc_row(type)) == NULL ||
		    row->sender == IPC_FROM_BROKER)
			continue;
		m = (struct msg){ .type = type };
		if (type != IPC_HELLO) {
			peer_dial(&p, &h->server);
			refuse(h, &p, &m, CODE_BAD_STATE);
		}
		if ((row->states & IPC_GREETED) == 0) {
			peer_hello(&p, &h->server);
			refuse(h, &p, &m, CODE_BAD_STATE);
		}
	}
}

static void
half_messages(struct honest *h)
{
	static uint8_t junk[IPC_FRAME_MAX_BYTES];
	static struct peer p[MANY];
	struct buf frame = BUF_INIT;
	struct msg m;
	size_t i;

	patch(&m);
	m.f[submit_body].b = bytes_of(junk, INLINE_MAX_BYTES);
	ipc_pack(&frame, &m);
	honest_mark(h);
	for (i = 0; i < MANY; i++) {
		peer_join(&p[i], &h->server, "mine", "write");
		peer_raw(&p[i], bytes_of(buf_bytes(&frame).p, frame.len - 1));
	}
	honest_traffic(h);
	honest_grown(h, MANY * (IPC_FRAME_MAX_BYTES + 64 * KIB) / KIB);
	for (i = 0; i < MANY; i++)
		peer_close(&p[i]);
	buf_free(&frame);
}

/* Questions whose answers nobody takes. */
static void
a_flood_of_questions(struct honest *h)
{
	struct buf frames = BUF_INIT, body = BUF_INIT;
	struct msg fetch = MSG(FETCH), submit;
	struct peer p;
	size_t i;

	peer_join(&p, &h->server, "mine", "write");
	patch(&submit);
	submit.f[submit_body].b =
	    bytes_of(buf_room(&body, INLINE_MAX_BYTES - 1024), 0);
	memset(body.mem, 'x', INLINE_MAX_BYTES - 1024);
	submit.f[submit_body].b.n = INLINE_MAX_BYTES - 1024;
	peer_send(&p, &submit);
	peer_verdict(&p, CODE_OK);
	fetch.f[fetch_what].u = FETCH_LOG;
	for (i = 0; i < 2000; i++)
		ipc_pack(&frames, &fetch);
	honest_mark(h);
	for (i = 0; i < 20; i++) {
		peer_raw(&p, buf_bytes(&frames));
		honest_traffic(h);
	}
	honest_grown(h, 16 * KIB);
	peer_close(&p);
	buf_free(&frames);
	buf_free(&body);
}

/* A blob for the store; returns its number. */
static uint64_t
stage(struct peer *p, uint64_t keep, size_t slices)
{
	static uint8_t slice[BLOB_SLICE_BYTES];
	struct msg put = MSG(BLOB_PUT), data = MSG(BLOB_DATA),
		   done = MSG(BLOB_DONE);

	put.f[blob_put_keep].u = keep;
	data.f[blob_data_body].b = bytes_of(slice, sizeof(slice));
	peer_send(p, &put);
	while (slices-- > 0)
		peer_send(p, &data);
	peer_send(p, &done);
	peer_verdict(p, CODE_OK);
	return (p->m.f[verdict_seq].u);
}

static enum code
fetch_blob(struct peer *p, uint64_t blob)
{
	struct msg m = MSG(FETCH);
	uint8_t zero[8] = { 0 };

	m.f[fetch_what].u = FETCH_BLOB;
	m.f[fetch_after].u = blob;
	m.f[fetch_from].b = bytes_of(zero, sizeof(zero));
	peer_send(p, &m);
	peer_want(p, IPC_FETCHED);
	return ((enum code)p->m.f[fetched_code].u);
}

static void
blobs_of_other_sessions(struct honest *h)
{
	struct msg submit, close = MSG(CLOSE);
	struct peer owner, thief;
	uint64_t blob;

	patch(&submit);
	submit.f[submit_body].b = BYTES_NONE;
	peer_join(&owner, &h->server, "mine", "write");
	peer_join(&thief, &h->server, "mine", "write");
	submit.f[submit_blob].u = blob = stage(&owner, 1, 3);
	code_is(fetch_blob(&thief, blob), CODE_NOT_FOUND);
	peer_send(&thief, &submit);
	peer_verdict(&thief, CODE_INVALID);
	peer_send(&owner, &submit);
	peer_verdict(&owner, CODE_OK);
	code_is(fetch_blob(&thief, blob), CODE_OK);
	/* A number of one document means nothing in the next. */
	submit.f[submit_blob].u = stage(&thief, 1, 1);
	peer_send(&thief, &close);
	if (peer_login(&thief, &h->server, "next", "write", 600) != IPC_GRANT)
		fatalx(1, "login");
	ring_close(&thief.ring);
	code_is(peer_open(&thief, "next", BYTES_NONE), CODE_OK);
	peer_send(&thief, &submit);
	peer_verdict(&thief, CODE_INVALID);
	peer_close(&owner);
	peer_close(&thief);
}

/* Neither a signal's in the store, nor one twice. */
static void
blobs_for_what_they_are_not(struct honest *h)
{
	struct msg submit, data = MSG(BLOB_DATA), put = MSG(BLOB_PUT),
			   done = MSG(BLOB_DONE);
	struct peer p;

	patch(&submit);
	peer_join(&p, &h->server, "mine", "write");
	submit.f[submit_blob].u = stage(&p, 0, 1);
	peer_send(&p, &submit);
	peer_verdict(&p, CODE_INVALID);
	submit.f[submit_blob].u = submit.f[submit_blob2].u = stage(&p, 1, 1);
	peer_send(&p, &submit);
	peer_verdict(&p, CODE_INVALID);
	peer_send(&p, &put);
	refuse(h, &p, &put, CODE_BAD_STATE);
	peer_join(&p, &h->server, "mine", "write");
	put.f[blob_put_keep].u = 1;
	peer_send(&p, &put);
	refuse(h, &p, &put, CODE_BAD_STATE);
	peer_join(&p, &h->server, "mine", "write");
	data.f[blob_data_body].b = BYTES_LIT("x");
	refuse(h, &p, &data, CODE_BAD_STATE);
	peer_join(&p, &h->server, "mine", "write");
	peer_send(&p, &done);
	peer_verdict(&p, CODE_BAD_STATE);
	peer_close(&p);
	peer_join(&p, &h->server, "mine", "write");
	put.f[blob_put_size].u = UINT64_MAX;
	refuse(h, &p, &put, CODE_TOO_LARGE);
}

/* Together they would hold more than all signals may; one of them goes. */
static void
a_flood_of_blobs(struct honest *h)
{
	static uint8_t slice[BLOB_SLICE_BYTES];
	struct msg put = MSG(BLOB_PUT), data = MSG(BLOB_DATA), sync = MSG(SYNC);
	struct peer p[3];
	size_t i, n, left = 3;

	data.f[blob_data_body].b = bytes_of(slice, sizeof(slice));
	honest_mark(h);
	for (i = 0; i < 3; i++) {
		peer_join(&p[i], &h->server, "mine", "read");
		peer_send(&p[i], &put);
		for (n = 0; n < 90 * MIB / sizeof(slice); n++)
			peer_send(&p[i], &data);
		honest_traffic(h);
	}
	honest_grown(h, (256 + 64) * KIB);
	for (i = 0; i < 3; i++) {
		peer_send(&p[i], &sync);
		left -= peer_next(&p[i]) == IPC_KICK;
		peer_close(&p[i]);
	}
	if (left != 2)
		fatalx(1, "%zu of 3 were left", left);
}

static void
huge_cards(struct honest *h)
{
	static uint8_t card[CARD_MAX_BYTES];
	static struct peer p[MANY];
	size_t i;

	honest_mark(h);
	for (i = 0; i < MANY; i++) {
		peer_hello(&p[i], &h->server);
		if (peer_login(&p[i], &h->server, "mine", "read", 600) !=
		    IPC_GRANT)
			fatalx(1, "login");
		code_is(peer_open(&p[i], "mine", bytes_of(card, sizeof(card))),
		    CODE_OK);
	}
	honest_grown(h, MANY * 2 * CARD_MAX_BYTES / KIB);
	for (i = 0; i < MANY; i++)
		peer_close(&p[i]);
}

static void
resume(struct honest *h, uint64_t kind, struct bytes ticket, uint64_t from,
    enum code code)
{
	struct msg m = MSG(RESUME);
	struct peer p;

	peer_hello_as(&p, &h->server, kind);
	m.f[resume_ticket].b = ticket;
	m.f[resume_from].u = from;
	peer_send(&p, &m);
	peer_want(&p, IPC_RESUMED);
	code_is((enum code)p.m.f[resumed_code].u, code);
	/* What was refused has no grant, what was not has its own. */
	code_is(code == CODE_OK ? peer_open(&p, "honest", BYTES_NONE)
				: CODE_WRONG_STORE,
	    CODE_WRONG_STORE);
	peer_close(&p);
}

static void
tickets(struct honest *h)
{
	struct msg fetch = MSG(FETCH);
	struct buf ticket = BUF_INIT;
	struct peer p;

	peer_hello(&p, &h->server);
	if (peer_login(&p, &h->server, "mine", "write", 600) != IPC_GRANT ||
	    p.m.f[grant_ticket].b.n > 0)
		fatalx(1, "a ticket for who does not wait");
	peer_close(&p);
	peer_hello_as(&p, &h->server, HELLO_WAITS);
	if (peer_login(&p, &h->server, "mine", "write", 600) != IPC_GRANT ||
	    buf_add_bytes(&ticket, p.m.f[grant_ticket].b) == -1 ||
	    ticket.len == 0)
		fatalx(1, "no ticket");
	/* Its session is there. */
	resume(h, HELLO_WAITS, buf_bytes(&ticket), 1, CODE_BAD_TOKEN);
	refuse(h, &p, &fetch, CODE_BAD_STATE);
	resume(h, HELLO_WORKER, buf_bytes(&ticket), 1, CODE_BAD_STATE);
	resume(h, HELLO_WAITS, buf_bytes(&ticket), 0, CODE_BAD_STATE);
	resume(h, HELLO_WAITS, BYTES_NONE, 1, CODE_BAD_TOKEN);
	resume(h, HELLO_WAITS, BYTES_LIT("ticket"), 1, CODE_BAD_TOKEN);
	ticket.mem[ticket.off + ticket.len / 2] ^= 1;
	resume(h, HELLO_WAITS, buf_bytes(&ticket), 1, CODE_BAD_TOKEN);
	ticket.mem[ticket.off + ticket.len / 2] ^= 1;
	resume(h, HELLO_WAITS, buf_bytes(&ticket), 1, CODE_OK);
	buf_free(&ticket);
	/* A listener asks for nothing. */
	peer_hello_as(&p, &h->server, HELLO_LISTENER);
	if (peer_login(&p, &h->server, "mine", "write", 600) != 0)
		fatalx(1, "a listener has a grant");
	peer_close(&p);
}

/* LINK with a socket; the other end. */
static int
link_through(struct peer *p)
{
	const struct msg m = MSG(LINK);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    chan_send_fds(&p->chan, &m, pair, 1) == -1)
		fatal(1, "link");
	close(pair[0]);
	if (chan_flush(&p->chan) != 0)
		fatal(1, "link");
	return (pair[1]);
}

/* The keeper's word makes sessions; a worker has one, and is no keeper. */
static void
links(struct honest *h)
{
	struct msg hello = MSG(HELLO);
	struct peer p, q;
	char octet;
	int fd;

	peer_hello(&p, &h->server);
	fd = link_through(&p);
	if (peer_next(&p) != 0 || read(fd, &octet, 1) != 0)
		fatalx(1, "a worker's link was taken");
	close(fd);
	peer_close(&p);
	peer_join(&p, &h->server, "mine", "write");
	fd = link_through(&p);
	if (read(fd, &octet, 1) != 0)
		fatalx(1, "a worker's link was taken");
	close(fd);
	peer_kicked(&p, CODE_BAD_STATE);
	peer_hello_as(&p, &h->server, HELLO_LISTENER);
	memset(&q, 0, sizeof(q));
	q.ring.fd = q.bell = -1;
	chan_init(&q.chan, link_through(&p), IPC_FROM_BROKER, 1);
	hello.f[hello_version].u = IPC_VERSION;
	hello.f[hello_kind].u = HELLO_LISTENER;
	peer_send(&q, &hello);
	if (peer_next(&q) != 0)
		fatalx(1, "a worker's link is a listener's");
	peer_close(&q);
	chan_init(&q.chan, link_through(&p), IPC_FROM_BROKER, 1);
	hello.f[hello_kind].u = HELLO_WAITS;
	peer_send(&q, &hello);
	peer_want(&q, IPC_WELCOME);
	honest_traffic(h);
	peer_close(&q);
	peer_close(&p);
}

int
main(void)
{
	static const char *const settings[] = { NULL };
	static const struct attack attacks[] = {
		{ "a token opens no other document", other_documents },
		{ "a reader writes, signs and stages nothing",
		    writes_and_mints_of_a_reader },
		{ "a token's scope stays with its document",
		    a_second_tokens_scope },
		{ "what is no token grants nothing and ends in the end",
		    grants_expired_forged_and_guessed },
		{ "frames with false lengths, counts and types are refused",
		    forged_frames },
		{ "the broker's own words are refused", the_brokers_own_words },
		{ "words in the wrong state are refused",
		    words_before_their_time },
		{ "half messages cost no more than themselves", half_messages },
		{ "who takes no answers is not read", a_flood_of_questions },
		{ "a staged blob is its session's", blobs_of_other_sessions },
		{ "blobs serve for nothing else", blobs_for_what_they_are_not },
		{ "signals too large together are bounded", a_flood_of_blobs },
		{ "huge cards keep nobody out", huge_cards },
		{ "a ticket is its session's, and only the broker makes it",
		    tickets },
		{ "a worker is no keeper", links },
	};

	log_init("hostile_worker", LOG_TO_STDERR, LOG_LEVEL_INFO);
	honest_run(attacks, sizeof(attacks) / sizeof(attacks[0]), settings);
	return (0);
}

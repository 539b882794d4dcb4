/* Values and clocks of the store beside those of the model. */
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/lib/crowd.h"

int
crowd_ask(struct crowd *c, struct msg *m)
{
	struct crowd_client *who = &c->auditor;

	m->f[fetch_tag].u++;
	peer_send(&who->peer, m);
	while (peer_next(&who->peer) == IPC_RING) {
		close(chan_take_fd(&who->peer.chan));
		close(chan_take_fd(&who->peer.chan));
	}
	if (who->peer.m.type == IPC_FETCHED &&
	    who->peer.m.f[fetched_tag].u == m->f[fetch_tag].u &&
	    who->peer.m.f[fetched_code].u == CODE_OK)
		return (0);
	if (!c->ill)
		fatalx(1, "%s: the auditor gets no answer", c->name);
	crowd_end(c, who);
	return (-1);
}

void
crowd_check_values(struct crowd *c)
{
	struct buf body = BUF_INIT;
	struct msg m = MSG(FETCH);
	uint64_t after = (uint64_t)random() % (c->model.seq + 1), at = after;
	struct bytes entries;
	struct entry e;
	size_t k, n = 0;
	uint8_t key[32];

	m.f[fetch_what].u = FETCH_FIELDS;
	m.f[fetch_after].u = after;
	if (crowd_ask(c, &m) == -1)
		return;
	entries = c->auditor.peer.m.f[fetched_entries].b;
	for (k = 0; k < MODEL_KEYS; k++)
		n += c->model.value[k] > after;
	while (entry_unpack(&entries, &e) == 1) {
		for (k = 0; k < MODEL_KEYS && c->model.value[k] != e.seq; k++)
			;
		if (k == MODEL_KEYS || e.seq <= at)
			fatalx(1, "%llu is nobody's value",
			    (unsigned long long)e.seq);
		model_key((unsigned int)k, key);
		buf_clear(&body);
		model_body(c->model.log[e.seq], &body);
		if (!bytes_eq(e.key, bytes_of(key, sizeof(key))) ||
		    !bytes_eq(e.body, buf_bytes(&body)))
			fatalx(1, "the value %llu is another",
			    (unsigned long long)e.seq);
		at = e.seq;
		n--;
	}
	if (n != 0)
		fatalx(1, "%zu values are not there", n);
	buf_free(&body);
}

void
crowd_check_clocks(struct crowd *c)
{
	struct msg m = MSG(FETCH);
	char author[SECSYNC_KEY_LEN];
	struct bytes entries;
	struct entry e;
	unsigned int a;

	m.f[fetch_what].u = FETCH_RECORDS;
	m.f[fetch_prefix].b = BYTES_LIT("c");
	if (crowd_ask(c, &m) == -1)
		return;
	entries = c->auditor.peer.m.f[fetched_entries].b;
	for (a = 0; a < MODEL_AUTHORS; a++) {
		if (c->model.clocks[a] == 0)
			continue;
		model_author(a, author);
		if (entry_unpack(&entries, &e) != 1 || e.body.n != 8 ||
		    !bytes_eq(bytes_skip(e.key, 1),
			bytes_of(author, sizeof(author))) ||
		    be64_get(e.body.p) != c->model.clocks[a] - 1)
			fatalx(1, "author %u's clock is wrong", a);
	}
	if (entries.n != 0)
		fatalx(1, "there is a clock too many");
}

/*
 * Coming into a document and leaving it: OPEN, CLOSE, and a session's end.
 */
#include <stdlib.h>

#include "broker/decide_parts.h"
#include "broker/lanes.h"
#include "common/limits.h"
#include "common/wire.h"

static enum code decide_open_check(struct broker *, struct op *,
    struct doc_id *);
static int decide_crowded(size_t n, const struct bounds *);
static void decide_out(struct op *, struct txn *);
static int decide_roster(struct op *, size_t said);

int
decide_open(struct broker *b, struct op *op)
{
	const struct rule *r = rule_find(op->session->dialect);
	struct session *s = op->session;
	struct doc_id id;
	struct txn t;

	if ((op->code = decide_open_check(b, op, &id)) != CODE_OK)
		return (0);
	if (s->doc != NULL)
		return (op->code = CODE_BAD_STATE, 0);
	if (op->doc == NULL && (op->doc = doc_get(b, &id)) == NULL)
		return (op->code = CODE_BUSY, 0);
	if (op->doc->hold != DOC_FREE)
		return (op->code = CODE_BUSY, 0);
	if (decide_crowded(op->doc->nsessions, &op->doc->bounds) ||
	    doc_window(b, op->doc) == -1)
		return (op->code = CODE_BUSY, 0);
	if (s->leaving == NULL)
		s->leaving = calloc(1, sizeof(*s->leaving));
	if (s->leaving == NULL ||
	    decide_card_put(op, op->msg.f[open_card].b) == -1)
		return (op->code = CODE_BUSY, 0);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	if (t.row.closed == ROW_CLOSED)
		return (decide_end(op, &t, CODE_STORAGE));
	op->code = r->open == NULL ? CODE_OK : r->open(&t);
	if (op->code == CODE_OK) {
		if (decide_roster(op, t.info.len) == -1)
			t.failed = 1;
		decide_attach(op);
		op->attached = 1;
		if (r->join != NULL)
			r->join(&t);
	}
	return (decide_end(op, &t, op->code));
}

int
decide_leave(struct broker *b, struct op *op)
{
	const struct rule *r;
	struct txn t;

	if (op->session->doc != op->doc || op->doc == NULL)
		return (0);
	r = rule_find(op->doc->id.dialect);
	if (decide_begin(b, op, &t) == -1)
		return (decide_end(op, &t, CODE_STORAGE));
	decide_out(op, &t);
	/* Who comes back to the next broker is not said to have gone. */
	if (r->leave != NULL && !op->session->parting)
		r->leave(&t);
	return (decide_end(op, &t, CODE_OK));
}

/* What it staged is swept up at the next start. */
void
decide_leave_anyway(struct op *op)
{
	if ((op->leave || op->msg.type == IPC_CLOSE) && op->doc != NULL &&
	    op->session->doc == op->doc)
		decide_out(op, NULL);
}

/* t: to drop its blobs; their numbers are this document's, in another they are
 * others'. */
static void
decide_out(struct op *op, struct txn *t)
{
	struct session *s = op->session;
	size_t i;

	if (s->upload.id != 0 && (s->upload.id & BLOB_SIGNAL) == 0) {
		if (t != NULL)
			txn_blob_drop(t, s->upload.id);
		s->upload = (struct upload){ 0 };
	}
	for (i = 0; i < FINISHED_MAX; i++)
		if (s->finished[i].id != 0 &&
		    (s->finished[i].id & BLOB_SIGNAL) == 0) {
			if (t != NULL)
				txn_blob_drop(t, s->finished[i].id);
			s->finished[i] = (struct finished){ 0 };
		}
	decide_detach(op);
	op->detached = 1;
	op->had_ring = s->has_ring;
	s->has_ring = s->ring_due = 0;
}

void
decide_attach(struct op *op)
{
	struct session *s = op->session;

	s->doc = op->doc;
	s->state = IPC_OPEN_STATE;
	op->doc->refs++;
	op->doc->nsessions++;
	op->doc->looked = NULL;
	TAILQ_INSERT_TAIL(&op->doc->sessions, s, doc_entry);
	if (s->subject != NULL)
		s->subject->open++;
	s->refs++;
}

/* The operation keeps its own reference to the document. */
void
decide_detach(struct op *op)
{
	struct session *s = op->session;

	lanes_leave(s);
	op->doc->looked = NULL;
	TAILQ_REMOVE(&op->doc->sessions, s, doc_entry);
	op->doc->nsessions--;
	op->doc->refs--;
	if (s->subject != NULL)
		s->subject->open--;
	s->doc = NULL;
	s->state = IPC_GRANTED;
	s->refs--;
}

struct doc_id
decide_open_id(const struct op *op)
{
	const struct msg *m = &op->msg;

	return ((struct doc_id){ op->session->dialect,
	    (unsigned int)m->f[open_room].u, m->f[open_name].b });
}

static enum code
decide_open_check(struct broker *b, struct op *op, struct doc_id *id)
{
	const struct session *s = op->session;
	const struct msg *m = &op->msg;

	*id = decide_open_id(op);
	if (m->f[open_dialect].u != s->dialect || m->f[open_room].u > 255 ||
	    rule_find(s->dialect) == NULL)
		return (CODE_BAD_STATE);
	if (!claims_allow_store(&s->claims, s->dialect, id->name,
		s->dialect == DIALECT_SDS && b->conf->sds_aud_exact))
		return (CODE_WRONG_STORE);
	return (s->subject != NULL &&
		    decide_crowded(s->subject->open, &s->subject->bounds)
		? CODE_BUSY
		: CODE_OK);
}

static int
decide_crowded(size_t n, const struct bounds *b)
{
	return (b->sessions != 0 && n >= (size_t)b->sessions);
}

/*
 * The others, before the newcomer is one of them; as many as fit into one
 * message with what the rule says, or large cards would keep everybody out.
 */
static int
decide_roster(struct op *op, size_t said)
{
	size_t most = IPC_FRAME_MAX_BYTES - 1024;
	size_t room = said < most ? most - said : 0;
	struct session *o;
	uint8_t id[8];

	if (room > INFO_MAX_BYTES)
		room = INFO_MAX_BYTES;

	TAILQ_FOREACH(o, &op->doc->sessions, doc_entry) {
		if (o->card.len == 0 ||
		    op->roster.len + o->card.len + 64 > room)
			continue;
		be64_put(id, o->id);
		list_add(&op->roster, bytes_of(id, sizeof(id)));
		list_add(&op->roster, buf_bytes(&o->card));
	}
	return (op->roster.failed ? -1 : 0);
}

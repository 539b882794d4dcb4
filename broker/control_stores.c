/*
 * `stores': a line a store, of all that there are, a few milliseconds at a
 * time.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "broker/bounds.h"
#include "broker/control.h"
#include "broker/job.h"
#include "common/log.h"

static int control_stores_step(struct job *);
static int control_stores_next(struct job *);
static void control_stores_line(struct job *, const struct txn *);
static void control_stores_free(struct job *);

static const struct job_kind stores_kind = { "stores", control_stores_step,
	control_stores_free, 0 };

void
control_stores(struct broker *b, struct bufferevent *bev, const char *words)
{
	struct buf *at;

	if (words[0] != '\0')
		control_refuse(bev, "stores takes no words");
	else if ((at = calloc(1, sizeof(*at))) == NULL)
		control_refuse(bev, "no memory");
	else
		job_start(b, &stores_kind, bev, at);
}

static int
control_stores_step(struct job *j)
{
	int r = 1;

	while (r == 1 && !job_late(j))
		r = control_stores_next(j);
	if (r == -1)
		job_say(j, "error the store cannot be read\n");
	return (r);
}

static int
control_stores_next(struct job *j)
{
	struct doc_id id;
	struct txn t;
	int r;

	if ((r = txn_doc_next(j->broker->kv, j->state, &id)) != 1)
		return (r);
	txn_init(&t, j->broker->kv, &id);
	if (id.dialect != DIALECT_NONE && txn_load(&t) == 1)
		control_stores_line(j, &t);
	txn_done(&t);
	return (1);
}

static void
control_stores_line(struct job *j, const struct txn *t)
{
	const struct doc *d = doc_find(j->broker, &t->name);
	struct bounds bounds;
	char name[256];

	bounds_of_store(j->broker->conf, &t->name, &bounds);
	job_say(j,
	    "%s %u %" PRIu64 " %zu %" PRIu64 " %" PRIu64 " %" PRIu64
	    " %" PRIu64,
	    dialect_name(t->name.dialect), t->name.room, t->seq,
	    d == NULL ? 0 : d->nsessions, t->row.records, t->row.oldest,
	    t->row.bytes, t->row.fresh);
#define BOUND(name, store, subject) job_say(j, " %" PRId64, bounds.name);
#include "broker/bounds.def"
#undef BOUND
	job_say(j, " \"%s\"\n", log_quote(name, sizeof(name), t->name.name));
}

static void
control_stores_free(struct job *j)
{
	buf_free(j->state);
	free(j->state);
}

/* The way along a log; see walk.h. */
#include "broker/chain.h"
#include "broker/record.h"
#include "broker/walk.h"

const char *
walk_take(struct walk *w, const struct record *r, const uint8_t *digest)
{
	uint64_t first = r->gone == RECORD_GONE_RUN ? r->first : r->seq;

	if (first != w->seq + 1 || first > r->seq)
		return ("numbers do not follow each other");
	if (r->gone == RECORD_GONE_RUN)
		memcpy(w->chain, r->body.b.p, CHAIN_BYTES);
	else
		chain_link(w->chain, r->gone != 0 ? r->body.b.p : digest);
	if (r->gone != 0)
		w->gone += r->seq - first + 1;
	else
		w->records++;
	w->seq = r->seq;
	return (NULL);
}

const char *
walk_end(const struct walk *w, const struct txn *tx)
{
	if (w->seq != tx->seq)
		return ("the newest records are missing");
	if (memcmp(w->chain, tx->row.chain, CHAIN_BYTES) != 0)
		return ("the chain of hashes does not fit");
	return (NULL);
}

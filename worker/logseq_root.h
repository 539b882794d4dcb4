/*
 * The root row of a snapshot (logseq.md, section 5.2): where the trees are, and
 * what is known of the attributes.
 */
#ifndef QUIRE_LOGSEQ_ROOT_H
#define QUIRE_LOGSEQ_ROOT_H

#include "worker/logseq_tree.h"

struct logseq_root {
	struct buf schema; /* list of name, flags octet */
	uint64_t max_tx;
	uint64_t max_eid;
	uint64_t max_addr;
	const struct logseq_tree *eavt, *aevt, *avet;
};

/* An attribute of the graph; flags: what is said of it, an octet each. */
int logseq_root_attr(struct logseq_root *, struct bytes name,
    struct bytes flags);
/* Its text is in the pen then.  0, or -1. */
int logseq_root_write(struct logseq_root *, struct logseq_pen *);

#endif

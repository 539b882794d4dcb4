/*
 * The index of the logseq dialect as the rule's files see it: rows of the INDEX
 * document, read and written through a handle of its own whichever document is
 * open.  What the verbs mean is told in common/logseq_index.h.
 *
 * Registers of INDEX; a name of two parts has the first one's length in front:
 *
 *     'g' id               graph
 *     'n' owner name       id: an owner's names are his own
 *     'm' id user          member
 *     's' user id          nothing: graphs of a user, as owner or member
 *     'u' user             who came with a token
 *     'e' email user       be64 since when; verified ones, in lower case
 *     'k' user             list: public key, encrypted private key
 *     'a' id user          encrypted key of a graph
 */
#ifndef QUIRE_LOGSEQ_INDEX_RULE_H
#define QUIRE_LOGSEQ_INDEX_RULE_H

#include <sys/types.h>

#include "broker/rule.h"
#include "common/logseq_index.h"

#define INDEX_GRAPH  'g'
#define INDEX_NAME   'n'
#define INDEX_MEMBER 'm'
#define INDEX_SHELF  's'
#define INDEX_USER   'u'
#define INDEX_EMAIL  'e'
#define INDEX_KEYS   'k'
#define INDEX_AES    'a'

/* One decision's view; whatever is read lives until the same is read again. */
struct index {
	struct txn *t;	  /* of INDEX */
	struct txn other; /* where another document is open */
	struct bytes me;  /* who asks */
	struct buf key, graph, member, user, val;
};

struct index_graph {
	struct bytes name;
	struct bytes schema;
	struct bytes owner;
	uint64_t e2ee;
	uint64_t ready;
	uint64_t created_ms;
	uint64_t updated_ms;
};

struct index_member {
	uint64_t role;
	struct bytes invited_by;
	uint64_t created_ms;
};

struct index_user {
	struct bytes email;
	struct bytes username;
	uint64_t verified;
	uint64_t created_ms;
};

/* --- logseq_index_rows.c.  Found: 1, 0, -1; done: 0, -1. --- */
int index_begin(struct index *, struct txn *); /* then always index_end */
void index_end(struct index *);
int index_fail(struct index *); /* the batch is thrown away; -1 */
/* Of any kind above; b may be empty. */
int index_get(struct index *, char kind, struct bytes a, struct bytes b,
    struct buf *);
int index_put(struct index *, char kind, struct bytes a, struct bytes b,
    struct bytes val);
int index_del(struct index *, char kind, struct bytes a, struct bytes b);
/*
 * Adds to the list the second parts of a's names of this kind after `after`,
 * max at most; *more says whether there are others.
 */
int index_list(struct index *, char kind, struct bytes a, struct bytes after,
    size_t max, struct buf *list, int *more);
/* How many there are of a, max at most; -1. */
ssize_t index_count(struct index *, char kind, struct bytes a, size_t max);

int index_graph_get(struct index *, struct bytes id, struct index_graph *);
int index_graph_put(struct index *, struct bytes id,
    const struct index_graph *);
int index_member_get(struct index *, struct bytes id, struct bytes user,
    struct index_member *);
/* And the user's shelf. */
int index_member_put(struct index *, struct bytes id, struct bytes user,
    const struct index_member *);
int index_user_get(struct index *, struct bytes user, struct index_user *);
/* The newest account that has proved the email, in *user. */
int index_user_by_email(struct index *, struct bytes email, struct buf *user);
/* Notes who asks, as his token says. */
int index_user_note(struct index *, const struct claims *);

/* --- rule_logseq_index.c --- */
/* The owner is a manager whatever his row as a member says. */
enum logseq_role index_role(struct index *, struct bytes id,
    const struct index_graph *, struct bytes user);

/* What a verb has besides its fields; graph is filled for rooms GRAPH. */
struct index_call {
	struct index ix;
	struct txn *t; /* of the open document */
	const struct submit *in;
	struct bytes id; /* of the graph */
	int found;	 /* there is such a graph */
	struct index_graph graph;
	enum logseq_role role;
};

typedef enum code index_verb(struct index_call *);
#define LOGSEQ_INDEX_VERB(no, NAME, name, room, need, scope)                   \
	index_verb index_##name;
#include "common/logseq_index.def"
#undef LOGSEQ_INDEX_VERB

/* --- for the dialect's rule --- */
/* Its decide of every row of common/logseq_index.def. */
enum code logseq_index_decide(struct txn *, const struct submit *);
/* Its hook where INDEX is to be opened. */
enum code logseq_index_open(struct txn *);

#endif

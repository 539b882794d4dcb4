/*
 * The index of the logseq dialect: what graphs there are, who belongs to them,
 * the keys of encrypted ones (all opaque here) and their assets.  What worker
 * and rule say to each other about it; the rooms and the rest of the dialect
 * are in logseq.h.
 *
 * In all verbs ids of graphs are LOGSEQ_UUID_LEN characters and users are
 * subjects of tokens.  Lists are packed lists of common/wire.h, and numbers in
 * them be64.  Where nothing is said a field is empty and there is no info.
 * Codes: NO_SCOPE (the role), INVALID (against this contract), STORAGE.
 *
 * GRAPHS       ref: the last id of the page before, or empty.  info: more (1:
 *              ask again), whether the user has keys, then a string a graph,
 *              see logseq_graph_pack; by id.
 *
 * GRAPH_NEW    ref: its id, which the worker has drawn.  items: name, schema
 *              version (empty: null), e2ee, ready.  EXISTS: the user has one of
 *              that name; NOT_FOUND: e2ee, and he has no keys; QUOTA.
 *
 * GRAPH_DROP   the graph is no more: its other sessions end with NOT_FOUND, and
 *              what it was made of is erased beside live traffic.
 *
 * MEMBERS      ref: the last user of the page before, or empty.  info: more,
 *              then a string a member, see logseq_member_pack; by user.
 *
 * MEMBER_ADD   ref: email, or author: user.  clock: enum logseq_role.  Who is
 *              there already changes roles.  NOT_FOUND: nobody has that email.
 *
 * MEMBER_ROLE  author: user.  clock: role.  Done also when there is no such
 *              member.
 *
 * MEMBER_DROP  author: user.  A manager may drop whoever is none, also who is
 *              not there, and a member himself.  The sessions of who has lost
 *              access end with REVOKED.
 *
 * KEYS         info: public key, encrypted private key; or nothing.
 *
 * KEYS_PUT     items: the same.
 *
 * PUBLIC_KEY   ref: email.  info: public key, or nothing.
 *
 * AES_KEY      info: the user's own encrypted key, or nothing.
 *
 * AES_KEY_PUT  items: the key.
 *
 * AES_GRANT    items: email and key in turn, at most LOGSEQ_GRANTS_MAX.  info:
 *              emails of whom there is not, or who has no access.
 *
 * ASSET_PUT    ref: name.  items: content type, checksum (either may be empty).
 *              body: the octets.  TOO_LARGE: over the limit of such a graph.
 *              It is read by FETCH_FIELD of logseq_asset_key: the body before
 *              the blob is the list of the items.
 *
 * ASSET_DROP   ref: name.  Done also when there is none.
 */
#ifndef QUIRE_LOGSEQ_INDEX_H
#define QUIRE_LOGSEQ_INDEX_H

#include <stddef.h>

#include "common/logseq.h"

#define LOGSEQ_GRAPH_NAME_MAX 1024  /* octets */
#define LOGSEQ_SCHEMA_MAX     64    /* octets of a schema version */
#define LOGSEQ_KEY_MAX	      16384 /* octets of a key, however encrypted */
#define LOGSEQ_GRAPHS_MAX     1000  /* graphs that a user may be in */
#define LOGSEQ_MEMBERS_MAX    1000  /* members of a graph */
#define LOGSEQ_GRANTS_MAX     1000
#define LOGSEQ_ASSET_NAME_MAX 255 /* octets of "<name>.<type>" */
#define LOGSEQ_ASSET_TYPE_MAX 255 /* octets of a content type */
#define LOGSEQ_ASSET_SUM_MAX  128 /* octets of a checksum */

enum logseq_index_verb {
#define LOGSEQ_INDEX_VERB(no, NAME, name, room, need, scope)                   \
	LOGSEQ_##NAME = (no),
#include "common/logseq_index.def"
#undef LOGSEQ_INDEX_VERB
};

/* Empty bytes stand for null. */
struct logseq_graph_row {
	struct bytes id;
	struct bytes name;
	struct bytes schema;
	uint64_t e2ee;
	uint64_t ready;
	uint64_t role; /* enum logseq_role; NOBODY: owner and no member */
	struct bytes invited_by;
	uint64_t created_ms;
	uint64_t updated_ms;
};

struct logseq_member_row {
	struct bytes user;
	uint64_t role;
	struct bytes invited_by;
	uint64_t created_ms;
	struct bytes email;
	struct bytes username;
};

/* 0, or -1: no memory; -1: malformed. */
int logseq_graph_pack(struct buf *, const struct logseq_graph_row *);
int logseq_graph_unpack(struct bytes, struct logseq_graph_row *);
int logseq_member_pack(struct buf *, const struct logseq_member_row *);
int logseq_member_unpack(struct bytes, struct logseq_member_row *);

/* Any other row: a list of its members, bytes or uint64_t, in turn. */
struct logseq_column {
	size_t offset;
	int number;
};

/* clang-format off */
#define LOGSEQ_TEXT(row, name)	 { offsetof(struct row, name), 0 }
#define LOGSEQ_NUMBER(row, name) { offsetof(struct row, name), 1 }
/* clang-format on */

int logseq_row_pack(struct buf *, const void *row, const struct logseq_column *,
    size_t n);
int logseq_row_unpack(struct bytes, void *row, const struct logseq_column *,
    size_t n);

/* Strings and numbers of a list in turn, for what is no row. */
int logseq_list_add_u64(struct buf *, uint64_t);
/* 0, or -1: there is no such next. */
int logseq_list_next(struct bytes *, struct bytes *);
int logseq_list_next_u64(struct bytes *, uint64_t *);

/* 1: the 36 characters of a uuid, in lower case. */
int logseq_uuid_ok(struct bytes);

/*
 * 1: "<name>.<type>" of letters, digits, '.', '_' and '-', neither part empty
 * nor beginning with a dot, at most LOGSEQ_ASSET_NAME_MAX octets.
 */
int logseq_asset_name_ok(struct bytes);

/* The register of an asset, replacing *key; 0, -1. */
int logseq_asset_key(struct buf *key, struct bytes name);

#endif

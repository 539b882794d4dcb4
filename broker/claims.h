/*
 * What a token's payload says, read strictly: one JSON object, no member
 * twice, every claim that decides anything of the right kind or the whole is
 * refused.
 * Whether the token is genuine, in time and from the right issuer is decided in
 * token.c before and after.
 */
#ifndef QUIRE_CLAIMS_H
#define QUIRE_CLAIMS_H

#include <stdbool.h>

#include "common/bytes.h"
#include "common/dialects.h"
#include "common/scope.h"

struct conf_list;
struct json_t; /* jansson's */

#define CLAIMS_SUB_MAX	255 /* octets, as GRANT carries it */
#define CLAIMS_JTI_MAX	64  /* octets */
#define CLAIMS_TEXT_MAX 255 /* octets of a person's names and addresses */
#define CLAIMS_LIST_MAX 64  /* stores, documents or writer keys in a token */

#define CLAIMS_KEY_LEN 43 /* characters of an Ed25519 key in base64url */

/* The permissions of claim secsync.perm (protocols: secsync section 9). */
enum claims_perm {
	PERM_READ = 1 << 0,
	PERM_CREATE = 1 << 1,
	PERM_SNAPSHOT = 1 << 2,
	PERM_UPDATE = 1 << 3,
	PERM_EPHEMERAL = 1 << 4
};

/* What stands for no limit. */
#define CLAIMS_NO_LIMIT UINT64_MAX

struct claims_list {
	struct bytes *v;
	size_t n;
};

/*
 * All bytes point into memory that the struct owns.  A text claim that is
 * absent has p NULL.  Times are unix seconds; fractions are rounded up, which
 * keeps every comparison with a whole second as it was; what does not fit is
 * clamped.
 */
struct claims {
	struct bytes sub;
	struct bytes iss;
	struct bytes jti;
	struct bytes email;
	struct bytes cognito_username; /* claim cognito:username */
	struct bytes preferred_username;
	struct bytes username;
	struct bytes name;
	struct bytes canvas_client; /* the only clientId that may be used */
	bool email_verified;	    /* absent: yes in a token of our own */
	uint64_t key; /* mark of the key that vouched; 0: none yet */
	bool exp_given;
	bool aud_list; /* aud is a list, even of one */
	bool aud_wild; /* it is never exact: claims_allow_store */
	enum scope scope;
	int64_t exp; /* INT64_MAX if absent */
	int64_t nbf; /* INT64_MIN if absent */
	int64_t iat; /* INT64_MIN if absent */
	struct claims_list aud;
	uint32_t dialects;    /* bit 1 << enum dialect_id */
	uint64_t message_max; /* octets; 0: as the settings say */
	struct {
		bool perms_given; /* absent: the rule derives them from scope */
		bool keys_given;  /* absent: any key may write */
		bool docs_given;  /* absent: aud says which documents */
		unsigned int perms;
		struct claims_list keys; /* CLAIMS_KEY_LEN characters each */
		struct claims_list docs;
		uint64_t snapshot_max; /* octets, or CLAIMS_NO_LIMIT */
		uint64_t update_max;
		uint64_t ephemeral_max;
		uint64_t rate_max; /* messages a second */
	} secsync;
	uint8_t *text; /* what the bytes point into */
};

/*
 * Reads a decoded payload.  NULL if all is well, otherwise the name of what was
 * wrong (a literal, for the log) and *out is empty.
 *
 * scope may be absent only beside secsync.perm: the token is then good for
 * secsync alone and its scope is write if it permits any writing, else read.
 * aud may be absent only beside secsync.doc.  With both keys and cnf, cnf's key
 * must be among keys and is the only one left.
 */
const char *claims_parse(struct bytes json, struct claims *out);

/*
 * The same for a token of an issuer elsewhere, who knows nothing of us: scope,
 * dialect and secsync are not looked at, the scope is write, the dialect
 * logseq; client_id stands in for an absent aud; a cnf is refused, as it binds
 * the token to a key that we do not ask for.
 */
const char *claims_parse_oidc(struct bytes json, struct claims *out);

/* Once aud has been compared: makes the token good for every store. */
void claims_any_store(struct claims *);

void claims_free(struct claims *);

/*
 * Whether the token is good for this store.  An entry of aud is the store's
 * name, or "prefix*" unless exact; for secsync, where secsync.doc is given, it
 * stands in the place of aud (which there names a service).
 */
bool claims_allow_store(const struct claims *, unsigned int dialect,
    struct bytes name, bool exact);

/*
 * Whether the list names the subject, or the email and it is verified.  What
 * has an @ is an email, however the subject looks.
 */
bool claims_allow_person(const struct claims *, const struct conf_list *);

/* Whether a secsync writer's key (43 characters) may be used. */
bool claims_allow_key(const struct claims *, struct bytes key64);

/*
 * Loads text as one JSON object: at most TOKEN_MAX_BYTES, JWT_DEPTH_MAX levels,
 * no member twice however spelt, valid UTF-8, no lone surrogate, no NUL,
 * nothing before or after.  flags are jansson's, beside JSON_REJECT_DUPLICATES.
 * The caller releases with json_decref; NULL if refused.
 */
struct json_t *claims_json(struct bytes text, size_t flags);

#endif

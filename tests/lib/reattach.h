/*
 * Clients of every dialect that write and read through one broker after the
 * other (tests/ops/reattach.c), each with what it has sent and heard.
 */
#ifndef QUIRE_REATTACH_H
#define QUIRE_REATTACH_H

#include <inttypes.h>

#include <sodium.h>

#include "common/base64url.h"
#include "tests/lib/client.h"

#define CLIENTS	 4 /* of a kind; the last one only reads */
#define TEXT_MAX 2048
#define KINDS	 5u

struct client {
	struct server *server;
	const char *graph;    /* the uuid of logseq's */
	struct client *peers; /* all of its kind */
	const struct kind *kind;
	unsigned int id;
	int writes;
	struct ctl_ws ws;
	uint64_t sent; /* writes so far */
	uint64_t done; /* of them acknowledged, or heard by the reader */
	uint64_t seen[CLIENTS]; /* of the writes of each */
	uint64_t stamp;		/* newest number it knows */
	int said;		/* logseq: an answer is due */
	struct buf first;	/* what it heard first, with a NUL */
	uint8_t key[crypto_sign_SECRETKEYBYTES];
	char name[BASE64URL_LEN(crypto_sign_PUBLICKEYBYTES) + 1];
};

struct kind {
	const char *name;
	unsigned int ahead; /* unacknowledged at most */
	int heard;	    /* by the others */
	char *(*target)(const struct client *);
	void (*say)(struct client *);
	void (*hear)(struct client *, const char *text, struct bytes);
	void (*first)(struct client *);
	void (*late)(struct client *, const struct client *all);
};

extern const struct kind reattach_kinds[KINDS];

/* Takes what has come.  1: something did; 0: not in that time. */
int reattach_take(struct client *, int time_ms);

#endif

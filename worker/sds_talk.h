/*
 * A client of the sds dialect in its room: dialect_sds.c brings it there and
 * hands on what the broker answers.
 */
#ifndef QUIRE_SDS_TALK_H
#define QUIRE_SDS_TALK_H

#include "worker/conn.h"
#include "worker/sds_chunks.h"
#include "worker/sds_feed.h"
#include "worker/sds_token.h"

enum sds_close {
	SDS_CLOSE_UNAUTHORIZED = 4001,
	SDS_CLOSE_FORBIDDEN = 4003,
	SDS_CLOSE_LATER = 1013
};

/* What a client's submits are told apart by. */
enum sds_tag { SDS_TAG_CONTENT, SDS_TAG_CHUNK_BEGIN };

struct sds {
	struct conn *conn;
	struct sds_token *token; /* not NULL: POST /api/token, nothing else */
	enum sds_room room;
	struct buf store;
	struct buf protocol; /* for the 101, which accepted says was sent */
	enum scope scope;
	int accepted;
	int open;
	int keeps; /* the broker stores what clients send */
	struct sds_feed feed;
	struct sds_chunks chunks;
	struct sds_value *begun; /* a value whose clock is awaited */
	int wanted;		 /* a value asked for while the feed is busy */
	int asking; /* the answer is on its way: later frames wait */
	uint8_t wanted_key[SDS_KEY_BYTES];
};

/* Closes the connection in the dialect's way, with the code's reason. */
void sds_end(struct conn *, enum code);
/* The client is read unless something of it must be done first. */
void sds_hold(struct sds *);
/* After the feed went on, to this code: what its end makes possible. */
void sds_settle(struct sds *, enum code);
/* A client's frame of at least one octet, its type. */
void sds_take(struct sds *, struct bytes frame);
/* The verdict on SDS_TAG_CHUNK_BEGIN: the clock of the value that began. */
void sds_chunk_clock(struct sds *, struct bytes info);

#endif

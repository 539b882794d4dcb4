/*
 * The reader of a document's ring: where it stands, what it may pass over, and
 * the verdicts that wait until it has come far enough (drain, then answer).
 */
#ifndef QUIRE_READER_H
#define QUIRE_READER_H

#include "common/ring.h"
#include "worker/kept.h"
#include "worker/missed.h"

struct conn;

struct reader {
	struct ring ring;
	int bell; /* owned, -1 none */
	struct {
		struct ring ring; /* to read on in when this one is read */
		int bell;
		int due;
		uint64_t pos; /* where this one ends */
	} next;
	int open;      /* a ring is attached */
	int live;      /* frames go to the client */
	int wrote;     /* some have gone */
	int wait_own;  /* see conn_wait_own */
	int at_own;    /* stands before an own entry that has no verdict yet */
	uint64_t pos;  /* next entry to look at */
	uint64_t from; /* the reader has seen every entry since this position */
	uint64_t lost; /* where it stood when it last fell behind */
	uint64_t seq;  /* newest number that the client has */
	uint64_t handed;      /* newest own number the dialect knows */
	unsigned submits;     /* sent, and their verdict not handed yet */
	struct missed missed; /* comes before the ring, where there is any */
	struct kept_list verdicts; /* VERDICTs that wait for the reader */
	size_t nverdicts;
};

void reader_init(struct reader *);
/* Takes both descriptors over, whatever it returns.  -1: no such ring. */
int reader_attach(struct reader *, int ring_fd, int bell_fd, size_t bytes,
    uint64_t pos);
/* Likewise: the document's ring goes on there. */
int reader_move(struct reader *, int ring_fd, int bell_fd, size_t bytes,
    uint64_t pos);
/*
 * Likewise: the document in another broker, seq its newest number then, oldest
 * that of its newest record that is gone.  The reader stands where it stood.
 */
int reader_again(struct reader *, int ring_fd, int bell_fd, size_t bytes,
    uint64_t pos, uint64_t seq, uint64_t oldest);
/* As many sessions had the document, by the newest ring; 0: there is none. */
uint64_t reader_members(const struct reader *);
void reader_detach(struct reader *);

/* 1: frames may go to the client now. */
int reader_may(const struct conn *);
/* One batch of frames to the client.  1: something was done. */
int reader_step(struct conn *);

/* --- verdicts.c --- */
/* A verdict for the dialect, now or when reader_verdicts finds it ripe. */
int reader_verdict(struct conn *, const struct msg *);
/* A verdict of the broker before this one, for after reader_again. */
int reader_told(struct conn *, const struct msg *);
int reader_verdicts(struct conn *); /* 1: one was handed over */

#endif

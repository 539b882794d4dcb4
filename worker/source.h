/*
 * Where connections come from: what an address is counted by, the penalties of
 * those whose connections end badly, and who is turned away at random before
 * all places are taken.  Nothing here touches a descriptor or a clock.
 */
#ifndef QUIRE_SOURCE_H
#define QUIRE_SOURCE_H

#include <sys/types.h>
#include <sys/socket.h>

#include <stdint.h>

/* An IPv4 address, or the /64 of an IPv6: one customer has all of that. */
struct source {
	uint8_t octet[9];
};

/* An IPv4 client of a socket for both families becomes what it is: without
 * this they all were in one /64. */
void source_unmap(struct sockaddr_storage *);
void source_of(struct source *, const struct sockaddr_storage *);
/* 1: this machine itself, which is where proxies are. */
int source_is_loopback(const struct source *);

/* How a connection ended, as the exit status of its worker. */
enum source_end {
	SOURCE_WELL,
	SOURCE_FAILED,	/* by our fault */
	SOURCE_LATE,	/* its first request never came whole */
	SOURCE_REFUSED, /* it had no token that was good */
	SOURCE_CRASHED	/* its worker was killed by a signal */
};

/* Penalties add up; at PENALTY_MIN_MS they begin to count, until they have
 * passed.  Times are monotonic milliseconds. */
#define PENALTY_MIN_MS 15000
#define PENALTY_MAX_MS 600000
#define PENALTY_WAYS   8
#define PENALTY_SETS   512

struct penalty {
	struct source source;
	int counts;
	int64_t until_ms; /* 0: free */
};

/* Sources beyond PENALTY_WAYS in a set push out the one that ends first. */
struct penalties {
	uint8_t key[16]; /* random: addresses are chosen by strangers */
	struct penalty set[PENALTY_SETS][PENALTY_WAYS];
};

void penalty_add(struct penalties *, const struct source *, enum source_end,
    int64_t now_ms);
/* 1: it is to be turned away. */
int penalty_counts(const struct penalties *, const struct source *,
    int64_t now_ms);

/* 1: dice are thrown, as source_unlucky says. */
int source_crowded(unsigned int fresh, unsigned int most);
/*
 * 1: one of `fresh' connections that have not shown yet that they are good for
 * anything, where there are places for `most', is turned away: none up to half
 * of them, then three in ten, rising to all.  dice: any number.
 */
int source_unlucky(unsigned int fresh, unsigned int most, uint32_t dice);

#endif

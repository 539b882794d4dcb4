/*
 * Which of the sds addresses a request names (protocols: sds.md section 2).
 */
#ifndef QUIRE_SDS_PATH_H
#define QUIRE_SDS_PATH_H

#include "common/bytes.h"
#include "common/limits.h"

enum sds_route {
	SDS_ROUTE_NONE,	  /* below our prefixes, but nothing is there */
	SDS_ROUTE_STORE,  /* /ws/:store */
	SDS_ROUTE_SIGNAL, /* /signal/:store */
	SDS_ROUTE_TOKEN	  /* /api/token */
};

struct sds_path {
	enum sds_route route;
	/* Decoded once; any octets.  n is STORE_NAME_MAX_BYTES + 1 for a name
	 * that is too long to be anybody's. */
	uint8_t store[STORE_NAME_MAX_BYTES + 1];
	size_t n;
};

/* 1: the target is ours; 0: somebody else's, or no memory. */
int sds_path_parse(struct sds_path *, struct bytes target);

#endif

/*
 * Counts what is done with a store, and ends it when it is too much to be done
 * at once: from then on everything fails.
 */
#ifndef QUIRE_KV_METER_H
#define QUIRE_KV_METER_H

#include "broker/kv.h"

/* A unit is a row gone through, or about half a microsecond. */
struct kv_meter {
	struct kv kv; /* get, put, del, scan */
	struct kv *base;
	uint64_t left; /* units */
	int over;
};

void kv_meter_init(struct kv_meter *, struct kv *base);
void kv_meter_start(struct kv_meter *, uint64_t units);

#endif

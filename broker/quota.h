/*
 * How much one subject may store a day (UTC), in all stores together: octets
 * and messages, counted among the store's own registers, so that neither a
 * restart nor another session begins anew.
 */
#ifndef QUIRE_QUOTA_H
#define QUIRE_QUOTA_H

#include "broker/broker.h"

/* QUOTA: what is coming is too much; OK too for admins and without limits;
 * STORAGE, and the handle has failed. */
enum code quota_refuses(const struct session *, struct txn *, uint64_t more);
/* What the handle's document has grown by since it was `was': 0, -1. */
int quota_count(const struct session *, struct txn *,
    const struct txn_row *was);

#endif

/*
 * What settings and token allow a client to send (secsync.md, sections 9 and
 * 13).  The broker judges what it stores again.
 */
#ifndef QUIRE_SECSYNC_MAY_H
#define QUIRE_SECSYNC_MAY_H

#include "worker/secsync_message.h"
#include "worker/settings.h"

/* Whether a message of that kind may have n octets. */
int secsync_may_size(const struct settings *, enum secsync_kind, size_t n);

/* Whether its key may be used; for ephemeral messages, which have no verdict,
 * whether they may be sent.  grant: what GRANT said. */
int secsync_may_send(struct bytes grant, const struct secsync_message *);

/*
 * Up to when all messages are paid for, with one more now; before that time the
 * next should not be read.  A second's worth may come at once, the rest waits:
 * what is late is not lost, and a client that is refused only repeats it.
 */
int64_t secsync_may_pay(int64_t paid_us, uint64_t rate, int64_t now_ms);

#endif

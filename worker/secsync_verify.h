/* The signature of a secsync message (secsync.md, section 2). */
#ifndef QUIRE_SECSYNC_VERIFY_H
#define QUIRE_SECSYNC_VERIFY_H

#include "worker/secsync_message.h"

/*
 * Whether a message that secsync_message_parse accepted is signed by the key it
 * names, in the domain of its kind.  1, 0, or -1 without memory.
 */
int secsync_verify(const struct secsync_message *);

/*
 * The text that is signed: the domain, then ciphertext, nonce and publicData in
 * base64.  0, or -1 without memory.
 */
int secsync_signed_text(struct buf *, const struct secsync_message *);

#endif

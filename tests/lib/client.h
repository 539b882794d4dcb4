/*
 * A WebSocket client for tests in which a failure to connect, to send or to
 * hear anything for ten seconds is fatal.
 */
#ifndef QUIRE_CLIENT_H
#define QUIRE_CLIENT_H

#include "broker/ctl_ws.h"
#include "tests/lib/server.h"

#define CLIENT_MS 10000

/* Opens /ws/STORE with a token for it. */
void client_connect(struct ctl_ws *, const struct server *, const char *store,
    const char *scope);

/* The next message; a close frame is one. */
void client_next(struct ctl_ws *, struct ctl_ws_message *);

void client_send(struct ctl_ws *, struct bytes);

/*
 * Patches that tell who sent them and their number, of a size and with octets
 * that follow from both, so that each can be checked whole wherever it turns
 * up.
 */
void patch_make(struct buf *, uint32_t writer, uint32_t number, size_t size);

/* -1 if this is not a patch of patch_make, octet for octet. */
int patch_read(struct bytes, uint32_t *writer, uint32_t *number);

#define PATCH_MIN 13 /* octets of the shortest one */

#endif

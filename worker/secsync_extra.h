/*
 * Members of publicData beyond those of the protocol (secsync.md, section 5.6),
 * as the setting secsync_extra names them: `name type octets'.
 */
#ifndef QUIRE_SECSYNC_EXTRA_H
#define QUIRE_SECSYNC_EXTRA_H

#include "common/json.h"

/*
 * Whether list (NULL at its end, or NULL) has this member, its value is of that
 * type, and its JSON text not longer.  name: raw, without quotes.
 */
int secsync_extra_ok(char *const *list, struct bytes name,
    const struct json *value);

#endif

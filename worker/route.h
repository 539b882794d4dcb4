/*
 * Which dialect a request belongs to.  Each one that is switched on is asked,
 * in the order of dialects.def; nothing here knows a path.
 */
#ifndef QUIRE_ROUTE_H
#define QUIRE_ROUTE_H

#include "worker/conn.h"

/* NULL: nobody's. */
const struct dialect *route_find(const struct settings *,
    const struct http_request *);

/* 1: a browser on that page may connect (settings origin), or no browser. */
int route_origin_ok(const struct settings *, const struct http_request *);

#endif

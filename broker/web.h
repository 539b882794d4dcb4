/*
 * The operator's address, if the setting metrics names one: a small HTTP
 * responder in the broker's loop.  It answers GET of a few paths, one request
 * a connection, reads no body, and knows nothing of clients' connections,
 * which are workers'.
 */
#ifndef QUIRE_WEB_H
#define QUIRE_WEB_H

#include "common/buf.h"

struct broker;
struct web;

/* Binds; before the sandbox.  NULL with errno. */
struct web *web_new(struct broker *);
void web_free(struct web *); /* and its connections; NULL is fine */

/*
 * The address and port of a setting: 127.0.0.1:9464 or [::1]:9464, no names.
 * 0, or -1: it is none.
 */
struct sockaddr_storage;
int web_address(const char *, struct sockaddr_storage *, int *len);

/* One answer. */
struct web_answer {
	unsigned int status;
	const char *type;
	const char *policy; /* of a page, else NULL */
	struct buf body;
};

/* The path's answer is filled in; 200 and text stand already. */
typedef void web_path(struct broker *, struct web_answer *);
web_path web_page, web_status; /* web_page.c, web_status.c */

/* web_request.c: borrows from the head. */
struct web_request {
	struct bytes path;
	int ours; /* it calls us by an address or localhost, if at all */
};

/* 200, or the status to refuse it with.  head: without the empty line. */
unsigned int web_request(struct bytes head, struct web_request *);

#endif

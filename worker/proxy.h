/*
 * Who the client is when a proxy stands before us: the PROXY protocol, versions
 * 1 and 2 (haproxy's proxy-protocol.txt), and X-Forwarded-For.  Only a proxy
 * that is listed is believed; whether it is, is the caller's question.
 *
 * What is found is for the log: counting and access go by the connection.
 */
#ifndef QUIRE_PROXY_H
#define QUIRE_PROXY_H

#include <sys/types.h>

#include "common/bytes.h"

#define PROXY_ADDRESS_MAX 46 /* of an IPv6 address, with its NUL */

/* 1: the address lies in one of the networks ("a", "a/n"; NULL at the end). */
int proxy_listed(char *const *networks, const char *address);

/*
 * The header in front of everything else: octets used, and the client's address
 * or "" where the proxy speaks for itself or does not tell; 0: more is needed;
 * -1: there is none.
 */
ssize_t proxy_header(struct bytes in, char address[PROXY_ADDRESS_MAX]);

/*
 * The value of X-Forwarded-For, read from its end: the first address that is no
 * listed proxy's.  0: found; -1: none.
 */
int proxy_forwarded(char *const *networks, struct bytes list,
    char address[PROXY_ADDRESS_MAX]);

#endif

/*
 * Hexadecimal digits: lower case when written, either case when read.
 */
#ifndef QUIRE_HEX_H
#define QUIRE_HEX_H

#include <sys/types.h>

#include "common/bytes.h"

/* The value of one digit, or -1. */
int hex_digit(uint8_t c);

/* Writes two digits an octet, no NUL, and returns how many. */
size_t hex_encode(char *out, struct bytes);

/* Octets written; -1 for an odd length, another character or no room. */
ssize_t hex_decode(uint8_t *out, size_t size, struct bytes text);

#endif

/*
 * What the scanner (json_scan.c) and the cursors (json.c) share.
 */
#ifndef QUIRE_JSON_INSIDE_H
#define QUIRE_JSON_INSIDE_H

#include "common/json.h"

/* Eight octets with the same value, for looking at eight at a stride. */
#define JSON_EVERY(c) (0x0101010101010101u * (c))

/* The type of the value that begins with this octet. */
static inline enum json_type
json_type_of(uint8_t c)
{
	switch (c) {
	case '{':
		return (JSON_OBJECT);
	case '[':
		return (JSON_ARRAY);
	case '"':
		return (JSON_STRING);
	case 'n':
		return (JSON_NULL);
	case 'f':
		return (JSON_FALSE);
	case 't':
		return (JSON_TRUE);
	default:
		return (c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER
							   : JSON_NONE);
	}
}

#endif

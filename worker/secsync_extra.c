/*
 * The list was checked by whoever read the configuration: three words each.
 */
#include <stdlib.h>
#include <string.h>

#include "worker/secsync_extra.h"

static struct bytes extra_word(const char **);
static int extra_type(struct bytes, enum json_type);

int
secsync_extra_ok(char *const *list, struct bytes name, const struct json *value)
{
	struct bytes type;
	const char *at;

	for (; list != NULL && *list != NULL; list++) {
		at = *list;
		if (!bytes_eq(extra_word(&at), name))
			continue;
		type = extra_word(&at);
		return (extra_type(type, value->type) &&
		    value->text.n <= strtoul(at, NULL, 10));
	}
	return (0);
}

static struct bytes
extra_word(const char **at)
{
	struct bytes word;

	*at += strspn(*at, " \t");
	word = bytes_of(*at, strcspn(*at, " \t"));
	*at += word.n;
	return (word);
}

static int
extra_type(struct bytes word, enum json_type type)
{
	switch (type) {
	case JSON_STRING:
		return (bytes_eq(word, BYTES_LIT("string")));
	case JSON_NUMBER:
		return (bytes_eq(word, BYTES_LIT("number")));
	case JSON_TRUE:
	case JSON_FALSE:
		return (bytes_eq(word, BYTES_LIT("boolean")));
	case JSON_ARRAY:
		return (bytes_eq(word, BYTES_LIT("array")));
	case JSON_OBJECT:
		return (bytes_eq(word, BYTES_LIT("object")));
	default:
		return (0);
	}
}

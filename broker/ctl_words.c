/* The words of an answer, and what they are in JSON. */
#include <ctype.h>
#include <stdlib.h>

#include <jansson.h>

#include "common/hex.h"
#include "common/utf8.h"
#include "broker/ctl_answer.h"

static size_t ctl_unquote(uint8_t *, struct bytes);

size_t
ctl_done(struct bytes answer)
{
	const struct bytes done = BYTES_LIT("done\n");

	if (answer.n < done.n ||
	    !bytes_eq(bytes_skip(answer, answer.n - done.n), done))
		return (0);
	return (done.n);
}

/* What stands before the separator, which is dropped with it. */
struct bytes
ctl_word(struct bytes *text, uint8_t separator)
{
	const uint8_t *end =
	    text->n == 0 ? NULL : memchr(text->p, separator, text->n);
	struct bytes word = *text;

	if (end != NULL)
		word.n = (size_t)(end - text->p);
	*text = bytes_skip(*text, word.n + (end != NULL));
	return (word);
}

/* A number where it is one, else a text. */
json_t *
ctl_value(struct bytes text)
{
	char digits[20];
	size_t i;

	for (i = 0; i < text.n && i < 19 && isdigit(text.p[i]); i++)
		digits[i] = (char)text.p[i];
	if (i == 0 || i < text.n || (text.p[0] == '0' && text.n > 1))
		return (json_stringn((const char *)text.p, text.n));
	digits[i] = '\0';
	return (json_integer(strtoll(digits, NULL, 10)));
}

/* A name that is no text stays as it was written, \xNN and all. */
json_t *
ctl_name(struct bytes quoted)
{
	uint8_t *name;
	size_t n;
	json_t *value;

	if (quoted.n >= 2 && quoted.p[0] == '"' &&
	    quoted.p[quoted.n - 1] == '"')
		quoted = bytes_of(quoted.p + 1, quoted.n - 2);
	if ((name = malloc(quoted.n + 1)) == NULL)
		return (NULL);
	n = ctl_unquote(name, quoted);
	if (!utf8_valid(bytes_of(name, n)))
		value = json_stringn((const char *)quoted.p, quoted.n);
	else
		value = json_stringn((const char *)name, n);
	free(name);
	return (value);
}

static size_t
ctl_unquote(uint8_t *out, struct bytes in)
{
	size_t n = 0;

	while (in.n > 0) {
		if (in.n >= 4 && in.p[0] == '\\' && in.p[1] == 'x' &&
		    hex_decode(out + n, 1, bytes_of(in.p + 2, 2)) == 1)
			in = bytes_skip(in, 4);
		else {
			out[n] = in.p[0];
			in = bytes_skip(in, 1);
		}
		n++;
	}
	return (n);
}

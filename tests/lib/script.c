/*
 * Variables and octets of wire scripts.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "tests/lib/script.h"

#define SCRIPT_REPEAT_MAX (1u << 20)

static const char *script_get(const struct script_vars *, struct bytes);
static struct bytes script_name(const char **);
static int script_repeat(const char **, struct buf *);

int
script_set(struct script_vars *vars, const char *name, const char *value)
{
	char *copy = strdup(value);
	size_t i;

	if (copy == NULL)
		return (-1);
	for (i = 0; i < vars->n; i++)
		if (strcmp(vars->v[i].name, name) == 0) {
			free(vars->v[i].value);
			vars->v[i].value = copy;
			return (0);
		}
	if (i == SCRIPT_VARS_MAX || (vars->v[i].name = strdup(name)) == NULL) {
		free(copy);
		return (-1);
	}
	vars->v[i].value = copy;
	vars->n++;
	return (0);
}

void
script_free(struct script_vars *vars)
{
	while (vars->n > 0) {
		free(vars->v[--vars->n].name);
		free(vars->v[vars->n].value);
	}
}

int
script_expand(const struct script_vars *vars, const char *text, struct buf *out)
{
	const char *value;

	while (*text != '\0') {
		if (*text != '$') {
			buf_add_u8(out, (uint8_t)*text++);
			continue;
		}
		if (*++text == '$') {
			buf_add_u8(out, (uint8_t)*text++);
			continue;
		}
		if ((value = script_get(vars, script_name(&text))) == NULL)
			return (-1);
		buf_add_str(out, value);
	}
	buf_add_u8(out, '\0');
	return (out->failed ? -1 : 0);
}

int
script_octets(const char *text, struct buf *out)
{
	uint8_t octet;

	for (;;) {
		while (*text == ' ' || *text == ',')
			text++;
		if (*text == '\0')
			return (out->failed ? -1 : 0);
		if (*text == '*') {
			if (out->len == 0 || script_repeat(&text, out) == -1)
				return (-1);
			continue;
		}
		if (text[1] == '\0' ||
		    hex_decode(&octet, 1, bytes_of(text, 2)) != 1)
			return (-1);
		buf_add_u8(out, octet);
		text += 2;
	}
}

char *
script_word(char **text)
{
	char *word = *text + strspn(*text, " \t"), *end;

	end = word + strcspn(word, " \t");
	*text = end + strspn(end, " \t");
	*end = '\0';
	return (word);
}

static const char *
script_get(const struct script_vars *vars, struct bytes name)
{
	size_t i;

	for (i = 0; i < vars->n; i++)
		if (bytes_eq(bytes_str(vars->v[i].name), name))
			return (vars->v[i].value);
	return (NULL);
}

static struct bytes
script_name(const char **text)
{
	int brace = **text == '{';
	const char *p = *text + brace;
	size_t n = 0;

	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	*text = p + n + (brace && p[n] == '}');
	return (bytes_of(p, n));
}

static int
script_repeat(const char **text, struct buf *out)
{
	uint8_t octet = buf_bytes(out).p[out->len - 1];
	unsigned long n;
	char *end;

	n = strtoul(*text + 1, &end, 10);
	if (end == *text + 1 || n == 0 || n > SCRIPT_REPEAT_MAX)
		return (-1);
	while (--n > 0)
		buf_add_u8(out, octet);
	*text = end;
	return (0);
}

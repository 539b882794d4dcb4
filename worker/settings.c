/* WELCOME's "name value" lines into struct settings, rows as in settings.def.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "worker/settings.h"

struct settings_row {
	const char *name;
	enum { SETTINGS_NUMBER, SETTINGS_TEXT, SETTINGS_LIST } type;
	size_t at;
};

static const struct settings_row settings_rows[] = {
#define NUMBER(name)                                                           \
	{ #name, SETTINGS_NUMBER, offsetof(struct settings, name) },
#define TEXT(name) { #name, SETTINGS_TEXT, offsetof(struct settings, name) },
#define LIST(name) { #name, SETTINGS_LIST, offsetof(struct settings, name) },
#include "common/settings.def"
#undef NUMBER
#undef TEXT
#undef LIST
};

#define SETTINGS_ROWS (sizeof(settings_rows) / sizeof(settings_rows[0]))

static int settings_line(struct settings *, char *line);
static int settings_put(struct settings *, const struct settings_row *, char *);
static int settings_number(uint64_t *, const char *);
static int settings_list(char ***, char *);
static void *settings_field(struct settings *, const struct settings_row *);

int
settings_parse(struct settings *s, struct bytes text)
{
	char *line, *end;
	size_t i;

	memset(s, 0, sizeof(*s));
	if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
		return (-1);
	if ((s->text = malloc(text.n + 1)) == NULL)
		return (-1);
	if (text.n > 0)
		memcpy(s->text, text.p, text.n);
	s->text[text.n] = '\0';
	s->text_n = text.n;
	for (i = 0; i < SETTINGS_ROWS; i++)
		if (settings_rows[i].type == SETTINGS_TEXT)
			*(char **)settings_field(s, &settings_rows[i]) =
			    s->text + text.n;
	for (line = s->text; *line != '\0'; line = end) {
		end = line + strcspn(line, "\n");
		if (*end != '\0')
			*end++ = '\0';
		if (settings_line(s, line) == -1) {
			settings_free(s);
			return (-1);
		}
	}
	return (0);
}

int
settings_lend(struct settings *s, const struct settings *known,
    struct bytes text)
{
	size_t i;
	char was;

	if (known == NULL || known->text_n != text.n)
		return (0);
	for (i = 0; i < text.n; i++) {
		was = known->text[i];
		/* Parsing cut it there. */
		if (was == '\0' ? text.p[i] != ' ' && text.p[i] != '\n'
				: text.p[i] != (uint8_t)was)
			return (0);
	}
	*s = *known;
	s->lent = 1;
	return (1);
}

void
settings_free(struct settings *s)
{
	size_t i;

	for (i = 0; i < SETTINGS_ROWS && !s->lent; i++)
		if (settings_rows[i].type == SETTINGS_LIST)
			free(*(char ***)settings_field(s, &settings_rows[i]));
	if (!s->lent)
		free(s->text);
	memset(s, 0, sizeof(*s));
}

static int
settings_line(struct settings *s, char *line)
{
	char *value = strchr(line, ' ');
	size_t i;

	if (value == NULL)
		return (-1);
	*value++ = '\0';
	for (i = 0; i < SETTINGS_ROWS; i++)
		if (strcmp(settings_rows[i].name, line) == 0)
			return (settings_put(s, &settings_rows[i], value));
	return (-1);
}

static int
settings_put(struct settings *s, const struct settings_row *row, char *value)
{
	void *field = settings_field(s, row);

	switch (row->type) {
	case SETTINGS_NUMBER:
		return (settings_number(field, value));
	case SETTINGS_TEXT:
		*(char **)field = value;
		return (0);
	case SETTINGS_LIST:
		return (settings_list(field, value));
	}
	return (-1);
}

static int
settings_number(uint64_t *number, const char *text)
{
	char *end;

	if (*text < '0' || *text > '9')
		return (-1);
	errno = 0;
	*number = strtoull(text, &end, 10);
	return (errno != 0 || *end != '\0' ? -1 : 0);
}

static int
settings_list(char ***list, char *value)
{
	char **grown;
	size_t n = 0;

	while (*list != NULL && (*list)[n] != NULL)
		n++;
	if ((grown = realloc(*list, (n + 2) * sizeof(**list))) == NULL)
		return (-1);
	grown[n] = value;
	grown[n + 1] = NULL;
	*list = grown;
	return (0);
}

static void *
settings_field(struct settings *s, const struct settings_row *row)
{
	return ((uint8_t *)s + row->at);
}

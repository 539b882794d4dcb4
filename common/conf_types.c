/*
 * One reader and one writer a type of setting.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/conf_types.h"

static conf_get_fn conf_get_bool, conf_get_number, conf_get_string;
static conf_get_fn conf_get_path, conf_get_enum, conf_get_list;
static conf_put_fn conf_put_bool, conf_put_number, conf_put_string;
static conf_put_fn conf_put_enum, conf_put_list;
static int conf_digits(struct bytes *, int64_t *);
static char *conf_dup(struct bytes);

/* The first row of each is the unit of a bare number. */
static const struct conf_unit conf_units_none[] = { { "", 1 }, { NULL, 0 } };
static const struct conf_unit conf_units_size[] = { { "", 1 }, { "K", 1 << 10 },
	{ "M", 1 << 20 }, { "G", 1 << 30 }, { NULL, 0 } };
static const struct conf_unit conf_units_ms[] = { { "", 1 }, { "ms", 1 },
	{ "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	{ NULL, 0 } };
static const struct conf_unit conf_units_s[] = { { "", 1 }, { "s", 1 },
	{ "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 } };

const struct conf_how conf_types[] = {
	[CONF_BOOL] = { conf_get_bool, conf_put_bool, NULL },
	[CONF_NUMBER] = { conf_get_number, conf_put_number, conf_units_none },
	[CONF_SIZE] = { conf_get_number, conf_put_number, conf_units_size },
	[CONF_TIME_MS] = { conf_get_number, conf_put_number, conf_units_ms },
	[CONF_TIME_S] = { conf_get_number, conf_put_number, conf_units_s },
	[CONF_STRING] = { conf_get_string, conf_put_string, NULL },
	[CONF_PATH] = { conf_get_path, conf_put_string, NULL },
	[CONF_ENUM] = { conf_get_enum, conf_put_enum, NULL },
	[CONF_LIST] = { conf_get_list, conf_put_list, NULL },
};

static const char *
conf_get_bool(const struct conf_row *row, struct bytes value, void *member)
{
	(void)row;
	if (!bytes_eq(value, BYTES_LIT("yes")) &&
	    !bytes_eq(value, BYTES_LIT("no")))
		return ("is neither yes nor no");
	*(bool *)member = value.n == 3;
	return (NULL);
}

static const char *
conf_get_number(const struct conf_row *row, struct bytes value, void *member)
{
	const struct conf_unit *unit;
	int64_t n;

	if (conf_digits(&value, &n) == -1)
		return ("is not a number in range");
	for (unit = conf_types[row->type].units; unit->suffix != NULL; unit++)
		if (bytes_eq(value, bytes_str(unit->suffix)))
			break;
	if (unit->suffix == NULL)
		return ("does not end in a unit of this setting");
	if (n > INT64_MAX / unit->factor || n * unit->factor < row->min ||
	    n * unit->factor > row->max)
		return ("is out of range");
	*(int64_t *)member = n * unit->factor;
	return (NULL);
}

/* Decimal digits at the front of *b; -1 if there are none or too many. */
static int
conf_digits(struct bytes *b, int64_t *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < b->n && b->p[i] >= '0' && b->p[i] <= '9'; i++) {
		if (*out > (INT64_MAX - 9) / 10)
			return (-1);
		*out = *out * 10 + (b->p[i] - '0');
	}
	*b = bytes_skip(*b, i);
	return (i == 0 ? -1 : 0);
}

static const char *
conf_get_string(const struct conf_row *row, struct bytes value, void *member)
{
	char *copy;

	if ((int64_t)value.n < row->min)
		return ("is too short");
	if ((int64_t)value.n > row->max)
		return ("is too long");
	if ((copy = conf_dup(value)) == NULL)
		return (strerror(errno));
	free(*(char **)member);
	*(char **)member = copy;
	return (NULL);
}

static const char *
conf_get_path(const struct conf_row *row, struct bytes value, void *member)
{
	if (value.n != 0 && value.p[0] != '/')
		return ("is not an absolute path");
	return (conf_get_string(row, value, member));
}

static const char *
conf_get_enum(const struct conf_row *row, struct bytes value, void *member)
{
	int i;

	for (i = 0; row->names[i] != NULL; i++) {
		if (!bytes_eq(value, bytes_str(row->names[i])))
			continue;
		*(int *)member = i;
		return (NULL);
	}
	return ("is not one of the words of this setting");
}

static const char *
conf_get_list(const struct conf_row *row, struct bytes value, void *member)
{
	struct conf_list *list = member;
	char **v, *copy = NULL;

	if (value.n == 0)
		return ("has no value");
	if ((int64_t)value.n > row->max)
		return ("is too long");
	if (list->n == CONF_LIST_MAX)
		return ("stands there too often");
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (v != NULL) {
		list->v = v;
		copy = conf_dup(value);
	}
	if (copy == NULL)
		return (strerror(errno));
	list->v[list->n++] = copy;
	return (NULL);
}

static char *
conf_dup(struct bytes b)
{
	char *s = malloc(b.n + 1);

	if (s == NULL)
		return (NULL);
	if (b.n != 0)
		memcpy(s, b.p, b.n);
	s[b.n] = '\0';
	return (s);
}

static void
conf_put_bool(const struct conf_row *row, const void *member, FILE *fp)
{
	fprintf(fp, "%s %s\n", row->name, *(const bool *)member ? "yes" : "no");
}

/* In the largest unit that leaves a whole number. */
static void
conf_put_number(const struct conf_row *row, const void *member, FILE *fp)
{
	const struct conf_unit *unit, *best;
	int64_t n = *(const int64_t *)member;

	best = conf_types[row->type].units;
	for (unit = best; unit->suffix != NULL; unit++)
		if (n != 0 && n % unit->factor == 0)
			best = unit;
	fprintf(fp, "%s %" PRId64 "%s\n", row->name, n / best->factor,
	    best->suffix);
}

static void
conf_put_string(const struct conf_row *row, const void *member, FILE *fp)
{
	const char *s = *(char *const *)member;

	fprintf(fp, "%s %s\n", row->name, *s == '\0' ? "\"\"" : s);
}

static void
conf_put_enum(const struct conf_row *row, const void *member, FILE *fp)
{
	fprintf(fp, "%s %s\n", row->name, row->names[*(const int *)member]);
}

static void
conf_put_list(const struct conf_row *row, const void *member, FILE *fp)
{
	const struct conf_list *list = member;
	size_t i;

	for (i = 0; i < list->n; i++)
		fprintf(fp, "%s %s\n", row->name, list->v[i]);
}

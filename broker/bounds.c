/*
 * A line is a pattern, matched to a name as quirectl writes it, and limits:
 *
 *	sds:team-a-* bytes=10G records=1000000
 *
 * In names so written a backslash stands for itself, and so it does in
 * patterns.
 */
#include <fnmatch.h>
#include <string.h>

#include "broker/bounds.h"
#include "broker/broker.h"
#include "broker/doc_name.h"
#include "common/conf_types.h"
#include "common/log.h"

#define BOUNDS_PATTERN_MAX 1024u /* octets; a line has no more */

enum bounds_kind { BOUNDS_STORE, BOUNDS_SUBJECT };

static const struct bounds_row {
	const char *name;
	size_t offset;	   /* of the member */
	size_t general[2]; /* by kind, in struct config */
} bounds_rows[] = {
#define BOUND(name, store, subject)                                            \
	{ #name, offsetof(struct bounds, name),                                \
		{ offsetof(struct config, store),                              \
		    offsetof(struct config, subject) } },
#include "broker/bounds.def"
#undef BOUND
};

#define BOUNDS_ROWS (sizeof(bounds_rows) / sizeof(bounds_rows[0]))

static void bounds_find(const struct config *, enum bounds_kind,
    const struct conf_list *, const char *name, struct bounds *);
static int bounds_match(struct bytes line, const char *name);
static const char *bounds_read(enum bounds_kind, struct bytes *line,
    struct bounds *);
static const char *bounds_value(enum bounds_kind, const struct bounds_row *,
    struct bytes word, struct bounds *);
static const struct bounds_row *bounds_row_find(struct bytes word);

void
bounds_of_store(const struct config *c, const struct doc_id *id,
    struct bounds *b)
{
	char name[DOC_NAME_TEXT_BYTES];

	bounds_find(c, BOUNDS_STORE, &c->store_limits,
	    doc_name_text(name, sizeof(name), id), b);
}

void
bounds_of_subject(const struct config *c, struct bytes subject,
    struct bounds *b)
{
	char name[4 * CLAIMS_SUB_MAX + 1];

	bounds_find(c, BOUNDS_SUBJECT, &c->subject_limits,
	    log_quote(name, sizeof(name), subject), b);
}

void
bounds_renew(struct broker *b)
{
	struct subject *s;
	struct doc *d;
	size_t i;

	for (i = 0; i < DOC_BUCKETS; i++)
		for (d = b->docs[i]; d != NULL; d = d->next)
			bounds_of_store(b->conf, &d->id, &d->bounds);
	for (i = 0; i < SUBJECT_BUCKETS; i++)
		for (s = b->subjects.bucket[i]; s != NULL; s = s->next)
			bounds_of_subject(b->conf, bytes_of(s->name, s->n),
			    &s->bounds);
}

const char *
bounds_check_store(struct bytes *line)
{
	struct bounds b;

	return (bounds_read(BOUNDS_STORE, line, &b));
}

const char *
bounds_check_subject(struct bytes *line)
{
	struct bounds b;

	return (bounds_read(BOUNDS_SUBJECT, line, &b));
}

static void
bounds_find(const struct config *c, enum bounds_kind kind,
    const struct conf_list *lines, const char *name, struct bounds *b)
{
	struct bytes line;
	size_t i;

	for (i = 0; i < BOUNDS_ROWS; i++)
		memcpy((char *)b + bounds_rows[i].offset,
		    (const char *)c + bounds_rows[i].general[kind],
		    sizeof(int64_t));
	for (i = 0; i < lines->n; i++) {
		line = bytes_str(lines->v[i]);
		if (!bounds_match(line, name))
			continue;
		bounds_read(kind, &line, b);
		return;
	}
}

static int
bounds_match(struct bytes line, const char *name)
{
	struct bytes word = bytes_word(&line);
	char pattern[BOUNDS_PATTERN_MAX + 1];

	if (word.n == 0 || word.n >= sizeof(pattern))
		return (0);
	memcpy(pattern, word.p, word.n);
	pattern[word.n] = '\0';
	return (fnmatch(pattern, name, FNM_NOESCAPE) == 0);
}

/* Sets what the line names.  NULL; or what is wrong, with the word that *line
 * then is. */
static const char *
bounds_read(enum bounds_kind kind, struct bytes *line, struct bounds *b)
{
	const struct bounds_row *row;
	struct bytes rest = *line, word;
	unsigned int named = 0;
	const char *wrong = NULL;

	bytes_word(&rest);
	while ((word = bytes_word(&rest)).n > 0) {
		if ((row = bounds_row_find(word)) == NULL)
			wrong = "there is no such limit";
		else if ((named & 1u << (row - bounds_rows)) != 0)
			wrong = "is named a second time";
		else
			wrong = bounds_value(kind, row, word, b);
		if (wrong != NULL)
			return (*line = word, wrong);
		named |= 1u << (row - bounds_rows);
	}
	return (named == 0 ? "names no limit" : NULL);
}

/* As the setting that holds for all, but that 0 is no limit to each. */
static const char *
bounds_value(enum bounds_kind kind, const struct bounds_row *row,
    struct bytes word, struct bounds *b)
{
	struct conf_row as;
	size_t i = 0;

	while (config_rows[i].offset != row->general[kind])
		i++;
	as = config_rows[i];
	as.min = 0;
	/* cppcheck-suppress returnDanglingLifetime; it is a literal */
	return (conf_types[as.type].get(&as,
	    bytes_skip(word, strlen(row->name) + 1), (char *)b + row->offset));
}

/* Of a word `name=value'. */
static const struct bounds_row *
bounds_row_find(struct bytes word)
{
	size_t i, n;

	for (i = 0; i < BOUNDS_ROWS; i++) {
		n = strlen(bounds_rows[i].name);
		if (bytes_start(word, bytes_of(bounds_rows[i].name, n)) &&
		    word.n > n && word.p[n] == '=')
			return (&bounds_rows[i]);
	}
	return (NULL);
}

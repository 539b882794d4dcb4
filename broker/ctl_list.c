/* Lists that the broker prints: for people a table, with -j JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include <jansson.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_answer.h"

/* A list on its way out. */
struct list {
	const struct ctl_column *columns;
	size_t n;
	size_t widths[CTL_COLUMNS_MAX];
	time_t now;
};

static int list_filter(struct buf *, struct bytes begin, struct bytes end);
static int list_print(struct list *, struct bytes, int as_json);
static int list_json(const struct list *, struct bytes);
static int list_table(struct list *, struct bytes);
static void list_row(const struct list *, const struct bytes *, int head);
static int list_cells(const struct list *, struct bytes, struct bytes *);
static json_t *list_object(const struct list *, const struct bytes *);
static struct bytes list_shown(const struct list *, size_t, struct bytes,
    char[24]);
static size_t list_age(char[24], int64_t);

int
ctl_list(const struct ctl *ctl, const char *command, int as_json,
    const struct ctl_column *columns, size_t n)
{
	return (ctl_list_some(ctl, command, as_json, columns, n, BYTES_NONE,
	    BYTES_NONE));
}

int
ctl_list_some(const struct ctl *ctl, const char *command, int as_json,
    const struct ctl_column *columns, size_t n, struct bytes begin,
    struct bytes end)
{
	struct list list = { .columns = columns, .n = n, .now = time(NULL) };
	struct buf answer = BUF_INIT;
	struct config *config;
	int status;

	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	status = ctl_ask(config->control, command, &answer);
	if (status == 0 && end.n > 0)
		status = list_filter(&answer, begin, end);
	if (status == 0)
		status = list_print(&list, buf_bytes(&answer), as_json);
	buf_free(&answer);
	config_free(config);
	return (status);
}

static int
list_filter(struct buf *answer, struct bytes begin, struct bytes end)
{
	struct buf some = BUF_INIT;
	struct bytes text = buf_bytes(answer), line;

	while (text.n > 0) {
		line = ctl_word(&text, '\n');
		if (!bytes_start(line, begin) || line.n < end.n ||
		    !bytes_eq(bytes_skip(line, line.n - end.n), end))
			continue;
		buf_add_bytes(&some, line);
		buf_add_u8(&some, '\n');
	}
	buf_free(answer);
	*answer = some;
	if (!some.failed && some.len > 0)
		return (0);
	log_warnx("there is no such store");
	return (EX_DATAERR);
}

static int
list_print(struct list *l, struct bytes text, int as_json)
{
	if ((as_json ? list_json(l, text) : list_table(l, text)) == -1) {
		log_warnx("the broker's answer is not understood");
		return (EX_PROTOCOL);
	}
	if (fflush(stdout) == EOF) {
		log_warn("standard output");
		return (EX_IOERR);
	}
	return (0);
}

static int
list_json(const struct list *l, struct bytes text)
{
	struct bytes cells[CTL_COLUMNS_MAX];
	json_t *array = json_array();
	int r = -1;

	while (text.n > 0)
		if (list_cells(l, ctl_word(&text, '\n'), cells) == -1 ||
		    json_array_append_new(array, list_object(l, cells)) == -1)
			goto out;
	if ((r = json_dumpf(array, stdout, JSON_INDENT(2))) == 0)
		putchar('\n');
out:
	json_decref(array);
	return (r);
}

/* Twice over the answer: how wide, then what. */
static int
list_table(struct list *l, struct bytes text)
{
	struct bytes cells[CTL_COLUMNS_MAX], rest = text, shown;
	char room[24];
	size_t i;

	for (i = 0; i < l->n; i++)
		l->widths[i] = strlen(l->columns[i].name);
	while (rest.n > 0) {
		if (list_cells(l, ctl_word(&rest, '\n'), cells) == -1)
			return (-1);
		for (i = 0; i < l->n; i++) {
			shown = list_shown(l, i, cells[i], room);
			if (shown.n > l->widths[i])
				l->widths[i] = shown.n;
		}
	}
	for (i = 0; i < l->n; i++)
		cells[i] = bytes_str(l->columns[i].name);
	list_row(l, cells, 1);
	while (text.n > 0) {
		list_cells(l, ctl_word(&text, '\n'), cells);
		list_row(l, cells, 0);
	}
	return (0);
}

static void
list_row(const struct list *l, const struct bytes *cells, int head)
{
	struct bytes shown;
	char room[24];
	size_t i, gap;

	for (i = 0; i < l->n; i++) {
		shown = head ? cells[i] : list_shown(l, i, cells[i], room);
		gap = i + 1 == l->n ? 0 : l->widths[i] - shown.n + 2;
		printf("%.*s%*s", (int)shown.n, (const char *)shown.p, (int)gap,
		    "");
	}
	putchar('\n');
}

/* A quote in a text is written as an octet, so that the next one ends it. */
static int
list_cells(const struct list *l, struct bytes line, struct bytes *cells)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->columns[i].cell != CTL_QUOTED)
			cells[i] = ctl_word(&line, ' ');
		else if (line.n < 2 || line.p[0] != '"')
			return (-1);
		else {
			line = bytes_skip(line, 1);
			cells[i] = ctl_word(&line, '"');
			ctl_word(&line, ' ');
		}
		if (cells[i].n == 0 && l->columns[i].cell != CTL_QUOTED)
			return (-1);
	}
	return (line.n == 0 ? 0 : -1);
}

static json_t *
list_object(const struct list *l, const struct bytes *cells)
{
	json_t *object = json_object(), *value;
	size_t i;

	for (i = 0; i < l->n; i++) {
		value = l->columns[i].cell == CTL_QUOTED ? ctl_name(cells[i])
							 : ctl_value(cells[i]);
		if (json_object_set_new(object, l->columns[i].name, value) ==
		    -1) {
			json_decref(object);
			return (NULL);
		}
	}
	return (object);
}

static struct bytes
list_shown(const struct list *l, size_t column, struct bytes cell,
    char room[24])
{
	enum ctl_cell kind = l->columns[column].cell;
	struct tm tm;
	time_t t;

	if (cell.n == 0)
		return (BYTES_LIT("-"));
	if ((kind != CTL_SINCE && kind != CTL_TIME) || cell.n > 19)
		return (cell);
	memcpy(room, cell.p, cell.n);
	room[cell.n] = '\0';
	t = (time_t)strtoll(room, NULL, 10);
	if (kind == CTL_SINCE)
		return (bytes_of(room, list_age(room, l->now - t)));
	if (t == 0 || gmtime_r(&t, &tm) == NULL)
		return (BYTES_LIT("-"));
	return (bytes_of(room, strftime(room, 24, "%Y-%m-%dT%H:%M:%SZ", &tm)));
}

/* The two largest units: 3d4h, 4h17m, 17m5s, 5s. */
static size_t
list_age(char room[24], int64_t s)
{
	static const struct {
		int64_t s;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;
	int64_t rest;

	if (s < 0)
		s = 0;
	while (i < 3 && s < units[i].s)
		i++;
	rest = s % units[i].s;
	if (i == 3)
		return ((size_t)snprintf(room, 24, "%llds", (long long)s));
	return ((size_t)snprintf(room, 24, "%lld%c%lld%c",
	    (long long)(s / units[i].s), units[i].unit,
	    (long long)(rest / units[i + 1].s), units[i + 1].unit));
}

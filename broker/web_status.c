/*
 * What the page for people shows, as JSON: every figure by name, and the first
 * of the stores that are open and of the connections.
 */
#include <stdlib.h>

#include <jansson.h>

#include "broker/broker.h"
#include "broker/web.h"
#include "common/log.h"

#define STATUS_LIST_MAX 200

static json_t *status_figures(struct broker *);
static metrics_each status_figure;
static json_t *status_stores(const struct broker *);
static json_t *status_connections(const struct broker *);
static json_t *status_text(struct bytes);

void
web_status(struct broker *b, struct web_answer *a)
{
	const char *why = metrics_unready(b);
	json_t *all;
	char *text;

	all = json_pack("{s:s, s:s, s:o, s:o, s:o}", "version", QUIRE_VERSION,
	    "ready", why == NULL ? "" : why, "figures", status_figures(b),
	    "stores", status_stores(b), "connections", status_connections(b));
	text = all == NULL ? NULL : json_dumps(all, JSON_COMPACT);
	json_decref(all);
	a->type = "application/json";
	if (text == NULL)
		a->status = 503;
	else
		buf_add_str(&a->body, text);
	free(text);
}

static json_t *
status_figures(struct broker *b)
{
	json_t *object = json_object();

	metrics_walk(b, status_figure, object);
	return (object);
}

static void
status_figure(const struct metrics_sample *s, void *arg)
{
	char name[256];

	snprintf(name, sizeof(name),
	    s->labels[0] == '\0' ? "%s%s%s" : "%s%s{%s}", s->name, s->suffix,
	    s->labels);
	json_object_set_new(arg, name, json_real(s->value));
}

static json_t *
status_stores(const struct broker *b)
{
	json_t *list = json_array();
	const struct doc *d;
	size_t i;

	for (i = 0; i < DOC_BUCKETS; i++)
		for (d = b->docs[i]; d != NULL; d = d->next)
			if (json_array_size(list) < STATUS_LIST_MAX)
				json_array_append_new(list,
				    json_pack("{s:s, s:o, s:I, s:I, s:I, s:I}",
					"dialect", dialect_name(d->id.dialect),
					"name", status_text(d->id.name),
					"connections", (json_int_t)d->nsessions,
					"seq", (json_int_t)d->seq, "records",
					(json_int_t)d->row.records, "bytes",
					(json_int_t)d->row.bytes));
	return (list);
}

static json_t *
status_connections(const struct broker *b)
{
	json_t *list = json_array();
	const struct session *s;

	TAILQ_FOREACH(s, &b->sessions, entry) {
		if (json_array_size(list) == STATUS_LIST_MAX)
			break;
		if (s->listener)
			continue;
		json_array_append_new(list,
		    json_pack("{s:I, s:s, s:s, s:s, s:o, s:o}", "id",
			(json_int_t)s->id, "dialect", dialect_name(s->dialect),
			"scope", scope_name(s->scope), "address", s->peer,
			"subject", status_text(s->claims.sub), "store",
			status_text(
			    s->doc == NULL ? BYTES_NONE : s->doc->id.name)));
	}
	return (list);
}

/* Names are octets: what is no printable text is written as in the log. */
static json_t *
status_text(struct bytes b)
{
	char text[512];

	log_quote(text, sizeof(text), b);
	return (json_string(text));
}

/*
 * From JSON to items: which members a message has, what is a component, an
 * array, a delta.  What does not have the right shape makes nothing of all.
 */
#include "common/wire.h"
#include "worker/canvas_members.h"
#include "worker/canvas_message.h"

#define CANVAS_VERSION 2

enum message_member {
	MEMBER_TYPE,
	MEMBER_ID,
	MEMBER_DOC,
	MEMBER_PRESENT,
	MEMBER_SINCE,
	MEMBER_VERSION,
	MEMBER_TOKEN,
	MEMBERS
};

/* What a message is cut with; the two lists are kept for their memory. */
struct cut {
	const struct canvas_shape *shape;
	struct canvas_members keys, names;
	struct buf value;
	int failed; /* no memory */
};

static enum canvas_said message_read(struct canvas_message *, struct cut *,
    const struct json *root);
static enum canvas_said message_patches(struct canvas_message *, struct cut *,
    const struct json *member);
static void message_since(struct canvas_message *, const struct json *);
static int message_version(const struct json *);
static int cut_patches(struct cut *, struct buf *, const struct json *);
static int cut_object(struct cut *, struct buf *, const struct json *);
static int cut_component(struct cut *, struct buf *, const struct json *);
static int cut_value(struct cut *, const struct json *, enum canvas_type *);
static int cut_is_delta(const struct json *);
static int cut_delta(struct cut *, const struct json *);
static int cut_run(struct buf *, const struct json *);
static int cut_numbers(struct buf *, const struct json *);

int
canvas_message_parse(struct canvas_message *m, struct bytes text,
    const struct canvas_shape *shape)
{
	struct cut cut = { .shape = shape };
	struct json_report report;
	struct json root;

	memset(m, 0, sizeof(*m));
	if (json_parse(&root, text, shape->depth_max, &report) == 0 &&
	    root.type == JSON_OBJECT)
		m->said = message_read(m, &cut, &root);
	canvas_members_free(&cut.keys);
	canvas_members_free(&cut.names);
	if (cut.failed || cut.value.failed || m->doc.failed ||
	    m->present.failed || m->id.failed || m->token.failed)
		cut.failed = 1;
	buf_free(&cut.value);
	return (cut.failed ? -1 : 0);
}

void
canvas_message_free(struct canvas_message *m)
{
	buf_free(&m->id);
	buf_free(&m->token);
	buf_free(&m->doc);
	buf_free(&m->present);
}

int
canvas_quote(struct buf *b, struct bytes text)
{
	struct buf quoted = BUF_INIT;
	int r = json_quote(&quoted, text);

	if (r == 0)
		r = buf_add(b, buf_bytes(&quoted).p + 1, quoted.len - 2);
	buf_free(&quoted);
	return (r);
}

static enum canvas_said
message_read(struct canvas_message *m, struct cut *cut, const struct json *root)
{
	static const char *const names[MEMBERS] = {
		[MEMBER_TYPE] = "type",
		[MEMBER_ID] = "messageId",
		[MEMBER_DOC] = "documentPatches",
		[MEMBER_PRESENT] = "ephemeralPatches",
		[MEMBER_SINCE] = "lastTimestamp",
		[MEMBER_VERSION] = "protocolVersion",
		[MEMBER_TOKEN] = "token",
	};
	struct json v[MEMBERS];
	struct bytes type;

	json_find_all(root, names, v, MEMBERS);
	type = json_raw(&v[MEMBER_TYPE]);
	if (json_raw_eq(type, BYTES_LIT("auth-refresh"))) {
		json_raw_append(&m->token, json_raw(&v[MEMBER_TOKEN]));
		return (CANVAS_SAID_REFRESH);
	}
	if (json_raw_eq(type, BYTES_LIT("reconnect"))) {
		m->version_ok = message_version(&v[MEMBER_VERSION]);
		message_since(m, &v[MEMBER_SINCE]);
		if (m->version_ok &&
		    message_patches(m, cut, v) == CANVAS_SAID_NOTHING)
			return (CANVAS_SAID_NOTHING);
		return (CANVAS_SAID_RECONNECT);
	}
	if (!json_raw_eq(type, BYTES_LIT("patch")) ||
	    v[MEMBER_ID].type != JSON_STRING)
		return (CANVAS_SAID_NOTHING);
	canvas_text_raw(&m->id, json_raw(&v[MEMBER_ID]));
	return (message_patches(m, cut, v));
}

static enum canvas_said
message_patches(struct canvas_message *m, struct cut *cut, const struct json *v)
{
	if (cut_patches(cut, &m->doc, &v[MEMBER_DOC]) == -1 ||
	    cut_patches(cut, &m->present, &v[MEMBER_PRESENT]) == -1)
		return (CANVAS_SAID_NOTHING);
	return (CANVAS_SAID_PATCH);
}

/* Stamps are integers: what is above 1.5 is above 1. */
static void
message_since(struct canvas_message *m, const struct json *v)
{
	double d = 0;

	if (v->type != JSON_NUMBER)
		return;
	json_double(v, &d);
	if (d >= 9007199254740992.0)
		m->since = (uint64_t)1 << 53;
	else if (d > 0)
		m->since = (uint64_t)d;
}

static int
message_version(const struct json *v)
{
	int64_t n;

	return (v->type == JSON_NUMBER && json_safe_int(v, &n) == 0 &&
	    n == CANVAS_VERSION);
}

/* Absent is fine, and no array is not. */
static int
cut_patches(struct cut *cut, struct buf *items, const struct json *patches)
{
	struct json_iter it;
	struct json object;

	if (patches->type == JSON_NONE)
		return (0);
	if (patches->type != JSON_ARRAY)
		return (-1);
	json_iter_init(&it, patches);
	while (json_iter_next(&it, NULL, &object))
		if (object.type != JSON_OBJECT ||
		    cut_object(cut, items, &object) == -1)
			return (-1);
	return (0);
}

static int
cut_object(struct cut *cut, struct buf *items, const struct json *object)
{
	struct canvas_item i = { .kind = CANVAS_ITEM_OBJECT };
	struct canvas_member *k;
	size_t n;

	canvas_item_add(items, &i);
	i.kind = CANVAS_ITEM_KEY;
	if (canvas_members_read(&cut->keys, object) == -1) {
		cut->failed = 1;
		return (-1);
	}
	for (n = 0; n < cut->keys.n; n++) {
		k = &cut->keys.v[n];
		if (k->gone)
			continue;
		if (k->name.n > CANVAS_KEY_MAX || k->value.type != JSON_OBJECT)
			return (-1);
		i.name = k->name;
		canvas_item_add(items, &i);
		if (cut_component(cut, items, &k->value) == -1)
			return (-1);
	}
	return (items->failed ? -1 : 0);
}

static int
cut_component(struct cut *cut, struct buf *items, const struct json *component)
{
	struct canvas_item i = { .kind = CANVAS_ITEM_FIELD };
	struct canvas_member *f;
	size_t n;

	if (canvas_members_read(&cut->names, component) == -1) {
		cut->failed = 1;
		return (-1);
	}
	if (cut->names.n > CANVAS_FIELDS_MAX)
		return (-1);
	for (n = 0; n < cut->names.n; n++) {
		f = &cut->names.v[n];
		if (f->gone)
			continue;
		buf_clear(&cut->value);
		if (f->name.n > CANVAS_NAME_MAX ||
		    cut_value(cut, &f->value, &i.value.type) == -1)
			return (-1);
		i.name = f->name;
		i.value.data = buf_bytes(&cut->value);
		canvas_item_add(items, &i);
	}
	return (0);
}

static int
cut_value(struct cut *cut, const struct json *v, enum canvas_type *type)
{
	if (v->type == JSON_OBJECT && cut_is_delta(v)) {
		*type = CANVAS_DELTA;
		return (cut_delta(cut, v));
	}
	*type = v->type == JSON_ARRAY ? CANVAS_ARRAY : CANVAS_TEXT;
	return (canvas_text_field(&cut->value, v));
}

static int
cut_is_delta(const struct json *v)
{
	struct json mark;
	int64_t n;

	return (json_find(v, "__buf", &mark) > 0 && mark.type == JSON_NUMBER &&
	    json_safe_int(&mark, &n) == 0 && n == 1);
}

static int
cut_delta(struct cut *cut, const struct json *v)
{
	struct json len, runs, run;
	struct json_iter it;
	int64_t n;

	json_find(v, "len", &len);
	json_find(v, "runs", &runs);
	if (len.type != JSON_NUMBER || json_safe_int(&len, &n) == -1 || n < 0 ||
	    (uint64_t)n > cut->shape->delta_max || runs.type != JSON_ARRAY)
		return (-1);
	canvas_delta_begin(&cut->value, (uint64_t)n);
	json_iter_init(&it, &runs);
	while (json_iter_next(&it, NULL, &run))
		if (cut_run(&cut->value, &run) == -1)
			return (-1);
	return (cut->value.failed ? -1 : 0);
}

/* A pair, no more and no less. */
static int
cut_run(struct buf *b, const struct json *pair)
{
	struct canvas_run run;
	struct buf list = BUF_INIT;
	struct json_iter it;
	struct json offset, values, more;
	int r = -1;

	if (pair->type != JSON_ARRAY)
		return (-1);
	json_iter_init(&it, pair);
	if (json_iter_next(&it, NULL, &offset) &&
	    json_iter_next(&it, NULL, &values) &&
	    !json_iter_next(&it, NULL, &more) && offset.type == JSON_NUMBER &&
	    json_safe_int(&offset, &run.offset) == 0 &&
	    values.type == JSON_ARRAY && cut_numbers(&list, &values) == 0) {
		run.elements = buf_bytes(&list);
		r = canvas_delta_add(b, &run);
	}
	buf_free(&list);
	return (r);
}

static int
cut_numbers(struct buf *list, const struct json *values)
{
	struct json_iter it;
	struct json v;

	json_iter_init(&it, values);
	while (json_iter_next(&it, NULL, &v))
		if (v.type != JSON_NUMBER && v.type != JSON_NULL)
			return (-1);
	return (canvas_text_field(list, values));
}

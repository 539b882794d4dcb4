/*
 * From the file of the original server to registers, and back.  Components and
 * fields keep their order, since ECMAScript does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "broker/canvas_store.h"
#include "broker/ctl_canvas.h"
#include "common/canvas.h"
#include "worker/canvas_members.h"

/* Where a name is expected among stamps: both lists have one order. */
struct stamps {
	struct canvas_members m;
	size_t hint;
};

/* A component on its way out. */
struct shown {
	struct canvas_order order;
	size_t state, nstate, stamps, nstamps;
};

struct export
{
	struct txn *t;
	struct shown *shown;
	size_t n, cap;
	struct buf state, stamps, stored;
};

static const char *import_component(struct txn *, struct bytes key,
    const struct json *, const struct json *stamps, uint64_t place);
static const char *import_fields(struct buf *, const struct json *,
    const struct json *stamps, uint64_t most, uint64_t *newest);
static int stamps_find(struct stamps *, struct bytes name, struct json *);
static txn_each_field export_field;
static int export_component(struct export *, struct bytes key);
static int export_sort(const void *, const void *);
static int export_print(const struct export *, uint64_t seq);
static void text_member(struct buf *, struct bytes name, int first);

const char *
ctl_canvas_import(struct txn *t, void *arg)
{
	static const char *const names[] = { "timestamp", "state",
		"timestamps" };
	struct canvas_members keys = { 0 };
	struct stamps stamps = { 0 };
	struct json_report report;
	struct json root, v[3], of;
	const char *wrong = NULL;
	uint64_t seq;
	size_t i;

	if (t->doc != 0)
		return ("is there already");
	if (json_parse(&root, buf_bytes(arg), JSON_DEPTH_MAX, &report) == -1 ||
	    json_find_all(&root, names, v, 3) > 0 ||
	    json_uint64(&v[0], &seq) == -1 || v[1].type != JSON_OBJECT ||
	    v[2].type != JSON_OBJECT)
		return ("not a file of canvas-store-server");
	if (txn_log_begin(t, seq) == -1 ||
	    canvas_members_read(&keys, &v[1]) == -1 ||
	    canvas_members_read(&stamps.m, &v[2]) == -1)
		wrong = "the store failed";
	for (i = 0; wrong == NULL && i < keys.n; i++) {
		if (keys.v[i].gone)
			continue;
		stamps_find(&stamps, keys.v[i].name, &of);
		wrong = import_component(t, keys.v[i].name, &keys.v[i].value,
		    &of, i);
	}
	canvas_members_free(&keys);
	canvas_members_free(&stamps.m);
	return (wrong);
}

const char *
ctl_canvas_export(struct txn *t, void *arg)
{
	struct export e = { .t = t };
	const char *wrong = NULL;

	(void)arg;
	if (t->doc == 0)
		return ("is not there");
	if (txn_field_scan(t, 0, t->seq, BYTES_NONE, export_field, &e) == -1 ||
	    e.state.failed || e.stamps.failed)
		wrong = "the store failed";
	if (wrong == NULL) {
		qsort(e.shown, e.n, sizeof(*e.shown), export_sort);
		if (export_print(&e, t->seq) == -1)
			wrong = "cannot be written";
	}
	free(e.shown);
	buf_free(&e.state);
	buf_free(&e.stamps);
	buf_free(&e.stored);
	return (wrong);
}

static const char *
import_component(struct txn *t, struct bytes key, const struct json *component,
    const struct json *stamps, uint64_t place)
{
	struct canvas_order order = { .place = place };
	struct buf stored = BUF_INIT;
	uint64_t newest = t->seq > 0; /* else export would not find it */
	const char *wrong;

	canvas_order_add(&stored, &order);
	wrong = key.n > CANVAS_KEY_MAX || component->type != JSON_OBJECT
	    ? "a component has no form that clients know"
	    : import_fields(&stored, component, stamps, t->seq, &newest);
	if (wrong == NULL &&
	    canvas_store_put(t, key, newest, buf_bytes(&stored)) == -1)
		wrong = "the store failed";
	buf_free(&stored);
	return (wrong);
}

/* A field without a stamp is kept and in no answer, as with the original. */
static const char *
import_fields(struct buf *stored, const struct json *component,
    const struct json *stamps, uint64_t most, uint64_t *newest)
{
	struct canvas_members names = { 0 };
	struct stamps s = { 0 };
	struct canvas_field f;
	struct buf value = BUF_INIT;
	struct json stamp;
	const char *wrong = NULL;
	size_t i;

	if (canvas_members_read(&names, component) == -1 ||
	    canvas_members_read(&s.m, stamps) == -1)
		stored->failed = 1;
	if (names.n > CANVAS_FIELDS_MAX)
		wrong = "a component has too many fields";
	for (i = 0; wrong == NULL && i < names.n; i++) {
		if (names.v[i].gone)
			continue;
		f = (struct canvas_field){ .name = names.v[i].name };
		if (stamps_find(&s, f.name, &stamp) &&
		    json_uint64(&stamp, &f.stamp) == -1)
			wrong = "a stamp is no number";
		if (f.name.n > CANVAS_NAME_MAX || f.stamp > most)
			wrong = "a stamp is newer than the room, or a name "
				"too long";
		if (f.stamp > *newest)
			*newest = f.stamp;
		f.value.type = names.v[i].value.type == JSON_ARRAY
		    ? CANVAS_ARRAY
		    : CANVAS_TEXT;
		buf_clear(&value);
		canvas_text_field(&value, &names.v[i].value);
		f.value.data = buf_bytes(&value);
		stored->failed |= value.failed;
		canvas_field_add(stored, &f);
	}
	buf_free(&value);
	canvas_members_free(&names);
	canvas_members_free(&s.m);
	return (stored->failed ? "no memory" : wrong);
}

static int
stamps_find(struct stamps *s, struct bytes name, struct json *v)
{
	size_t i, at;

	for (i = 0; i < s->m.n; i++) {
		at = (s->hint + i) % s->m.n;
		if (!s->m.v[at].gone && bytes_eq(s->m.v[at].name, name)) {
			s->hint = at + 1;
			*v = s->m.v[at].value;
			return (1);
		}
	}
	*v = (struct json){ JSON_NONE, BYTES_NONE };
	return (0);
}

static int
export_field(const struct field *f, void *arg)
{
	struct export *e = arg;

	if (canvas_store_read(e->t, f, &e->stored) == -1)
		return (-1);
	return (export_component(e, f->key));
}

static int
export_component(struct export *e, struct bytes key)
{
	struct bytes in = buf_bytes(&e->stored);
	struct shown *grown,
	    s = { .state = e->state.len, .stamps = e->stamps.len };
	struct canvas_field f;
	size_t cap, n = 0, m = 0;

	if (canvas_order_take(&in, &s.order) == -1)
		return (-1);
	text_member(&e->state, key, 1);
	text_member(&e->stamps, key, 1);
	buf_add_u8(&e->state, '{');
	buf_add_u8(&e->stamps, '{');
	while (canvas_field_next(&in, &f) == 1) {
		text_member(&e->state, f.name, n++ == 0);
		canvas_value_text(&e->state, &f.value);
		if (f.stamp == 0)
			continue;
		text_member(&e->stamps, f.name, m++ == 0);
		buf_printf(&e->stamps, "%llu", (unsigned long long)f.stamp);
	}
	buf_add_u8(&e->state, '}');
	buf_add_u8(&e->stamps, '}');
	s.nstate = e->state.len - s.state;
	s.nstamps = e->stamps.len - s.stamps;
	if (e->n == e->cap) {
		cap = e->cap == 0 ? 64 : e->cap * 2;
		if ((grown = realloc(e->shown, cap * sizeof(s))) == NULL)
			return (-1);
		e->shown = grown;
		e->cap = cap;
	}
	e->shown[e->n++] = s;
	return (0);
}

static int
export_sort(const void *va, const void *vb)
{
	const struct shown *a = va, *b = vb;

	if (a->order.stamp != b->order.stamp)
		return (a->order.stamp < b->order.stamp ? -1 : 1);
	return ((a->order.place > b->order.place) -
	    (a->order.place < b->order.place));
}

static int
export_print(const struct export *e, uint64_t seq)
{
	const uint8_t *state = buf_bytes(&e->state).p;
	const uint8_t *stamps = buf_bytes(&e->stamps).p;
	size_t i;

	printf("{\"timestamp\":%llu,\"state\":{", (unsigned long long)seq);
	for (i = 0; i < e->n; i++) {
		if (i > 0)
			putchar(',');
		fwrite(state + e->shown[i].state, 1, e->shown[i].nstate,
		    stdout);
	}
	fputs("},\"timestamps\":{", stdout);
	for (i = 0; i < e->n; i++) {
		if (i > 0)
			putchar(',');
		fwrite(stamps + e->shown[i].stamps, 1, e->shown[i].nstamps,
		    stdout);
	}
	puts("}}");
	return (fflush(stdout) == EOF || ferror(stdout) ? -1 : 0);
}

static void
text_member(struct buf *b, struct bytes name, int first)
{
	buf_add_str(b, first ? "\"" : ",\"");
	buf_add_bytes(b, name);
	buf_add_str(b, "\":");
}

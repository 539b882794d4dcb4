/* Small JSON objects, in and out. */
#include "common/limits.h"
#include "worker/logseq_body.h"

#define BODY_MAX   ((uint64_t)4 * MIB)
#define BODY_DEPTH 16

static void body_name(struct buf *, const char *);

int
logseq_body_check(struct logseq_web *w, const struct http_request *r)
{
	(void)r;
	if (w->body_max > BODY_MAX)
		w->body_max = BODY_MAX;
	return (0);
}

int
logseq_body_object(struct logseq_web *w, struct json *object)
{
	struct json_report report;

	if (w->body.len == 0)
		logseq_error(w, 400, "missing body");
	else if (json_parse(object, buf_bytes(&w->body), BODY_DEPTH, &report) ==
		-1 ||
	    object->type != JSON_OBJECT)
		logseq_body_invalid(w);
	else
		return (0);
	return (-1);
}

void
logseq_body_invalid(struct logseq_web *w)
{
	logseq_error(w, 400, "invalid body");
}

int
logseq_body_string(const struct json *object, const char *name, size_t max,
    struct buf *out)
{
	struct json v;

	json_find(object, name, &v);
	if (v.type == JSON_NONE || v.type == JSON_NULL)
		return (0);
	if (v.type != JSON_STRING || json_raw_append(out, json_raw(&v)) == -1 ||
	    out->len > max)
		return (-1);
	return (1);
}

int
logseq_body_bool(const struct json *object, const char *name, uint64_t *out)
{
	struct json v;

	json_find(object, name, &v);
	if (v.type == JSON_NONE)
		return (0);
	if (v.type != JSON_TRUE && v.type != JSON_FALSE)
		return (-1);
	*out = v.type == JSON_TRUE;
	return (0);
}

int
logseq_body_role(const struct json *object, uint64_t *role)
{
	struct json v;

	json_find(object, "role", &v);
	if (v.type == JSON_NONE)
		return (0);
	if (json_raw_eq(json_raw(&v), BYTES_LIT("manager")))
		*role = LOGSEQ_MANAGER;
	else if (json_raw_eq(json_raw(&v), BYTES_LIT("member")))
		*role = LOGSEQ_MEMBER;
	else
		return (-1);
	return (0);
}

void
logseq_body_add(struct buf *out, const char *name, struct bytes text)
{
	body_name(out, name);
	if (text.n == 0 || json_quote(out, text) == -1)
		buf_add_str(out, "null");
}

void
logseq_body_add_u64(struct buf *out, const char *name, uint64_t v)
{
	body_name(out, name);
	buf_printf(out, "%llu", (unsigned long long)v);
}

void
logseq_body_add_bool(struct buf *out, const char *name, uint64_t v)
{
	body_name(out, name);
	buf_add_str(out, v ? "true" : "false");
}

void
logseq_body_add_role(struct buf *out, uint64_t role)
{
	logseq_body_add(out, "role",
	    role == LOGSEQ_MANAGER	? BYTES_LIT("manager")
		: role == LOGSEQ_MEMBER ? BYTES_LIT("member")
					: BYTES_NONE);
}

void
logseq_body_reply(struct logseq_web *w, const struct buf *json)
{
	if (json->failed) {
		conn_drop(w->conn);
		logseq_ended(w);
	} else
		logseq_reply(w, 200, buf_bytes(json));
}

void
logseq_body_done(struct logseq_web *w, const struct verdict_in *v)
{
	if (v->code != CODE_OK)
		logseq_refuse(w, v->code);
	else
		logseq_ok(w);
}

static void
body_name(struct buf *out, const char *name)
{
	struct bytes so_far = buf_bytes(out);

	if (so_far.n > 0 && so_far.p[so_far.n - 1] != '{' &&
	    so_far.p[so_far.n - 1] != '[')
		buf_add_u8(out, ',');
	buf_printf(out, "\"%s\":", name);
}

/*
 * The routes /graphs and /graphs/:id (logseq.md, section 2): which graphs a
 * user has, new ones, and the end of one.  Members are in logseq_members.c.
 */
#include <sodium.h>

#include "common/logseq_index.h"
#include "worker/logseq_body.h"
#include "worker/logseq_listing.h"

static void graphs_list(struct logseq_web *);
static int graphs_list_read(struct bytes, struct bytes *, uint64_t *);
static void graphs_list_write(struct buf *, struct bytes,
    const struct logseq_web *);
static void graphs_new(struct logseq_web *);
static int graphs_new_read(const struct json *, struct buf *items,
    struct buf *reply);
static void graphs_new_done(struct logseq_web *, const struct verdict_in *);
static void graphs_id(char id[LOGSEQ_UUID_LEN + 1]);
static void graphs_access(struct logseq_web *);
static void graphs_drop(struct logseq_web *);
static void graphs_drop_done(struct logseq_web *, const struct verdict_in *);

static const struct listing_kind graphs_listing = {
	.verb = LOGSEQ_GRAPHS,
	.name = "graphs",
	.newest_first = 1,
	.read = graphs_list_read,
	.write = graphs_list_write,
	.flag = "user-rsa-keys-exists?",
};

static const struct logseq_steps graphs_list_steps = {
	.start = graphs_list,
	.verdict = logseq_listing_verdict,
	.free = logseq_listing_free,
};
static const struct logseq_steps graphs_new_steps = {
	.check = logseq_body_check,
	.start = graphs_new,
	.verdict = graphs_new_done,
};
static const struct logseq_steps graphs_access_steps = {
	.start = graphs_access,
};
static const struct logseq_steps graphs_drop_steps = {
	.start = graphs_drop,
	.verdict = graphs_drop_done,
};

const struct logseq_route logseq_graphs_routes[] = {
	{ "GET", "/graphs", LOGSEQ_AT_INDEX, &graphs_list_steps },
	{ "POST", "/graphs", LOGSEQ_AT_INDEX, &graphs_new_steps },
	{ "GET", "/graphs/:/access", LOGSEQ_AT_GRAPH, &graphs_access_steps },
	{ "DELETE", "/graphs/:", LOGSEQ_AT_GRAPH, &graphs_drop_steps },
	{ NULL, NULL, LOGSEQ_AT_NOTHING, NULL },
};

static void
graphs_list(struct logseq_web *w)
{
	logseq_listing_start(w, &graphs_listing);
}

static int
graphs_list_read(struct bytes packed, struct bytes *key, uint64_t *order)
{
	struct logseq_graph_row g;

	if (logseq_graph_unpack(packed, &g) == -1)
		return (-1);
	*key = g.id;
	*order = g.updated_ms;
	return (0);
}

static void
graphs_list_write(struct buf *out, struct bytes packed,
    const struct logseq_web *w)
{
	struct logseq_graph_row g;

	(void)w;
	logseq_graph_unpack(packed, &g);
	logseq_body_add(out, "graph-id", g.id);
	/* Never null, or the client refuses the whole list. */
	buf_add_str(out, ",\"graph-name\":");
	json_quote(out, g.name);
	logseq_body_add(out, "schema-version", g.schema);
	logseq_body_add_bool(out, "graph-e2ee?", g.e2ee);
	logseq_body_add_bool(out, "graph-ready-for-use?", g.ready);
	logseq_body_add_role(out, g.role);
	logseq_body_add(out, "invited-by", g.invited_by);
	logseq_body_add_u64(out, "created-at", g.created_ms);
	logseq_body_add_u64(out, "updated-at", g.updated_ms);
}

/* The answer is written now and sent when the graph is there. */
static void
graphs_new(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_GRAPH_NEW };
	struct buf items = BUF_INIT, reply = BUF_INIT;
	char id[LOGSEQ_UUID_LEN + 1];
	struct json object;

	if (logseq_body_object(w, &object) == -1)
		return;
	graphs_id(id);
	buf_add_u8(&reply, '{');
	logseq_body_add(&reply, "graph-id", bytes_str(id));
	if (graphs_new_read(&object, &items, &reply) == -1)
		logseq_body_invalid(w);
	else if (items.failed || reply.failed)
		logseq_refuse(w, CODE_BUSY);
	else {
		out.ref = bytes_str(id);
		out.items = buf_bytes(&items);
		logseq_submit(w, &out);
		buf_free(&w->body);
		w->body = reply;
		reply = (struct buf)BUF_INIT;
	}
	buf_free(&items);
	buf_free(&reply);
}

static int
graphs_new_read(const struct json *object, struct buf *items, struct buf *reply)
{
	struct buf name = BUF_INIT, schema = BUF_INIT;
	uint64_t e2ee = 1, ready = 1;
	int r = -1;

	if (logseq_body_string(object, "graph-name", LOGSEQ_GRAPH_NAME_MAX,
		&name) == 1 &&
	    logseq_body_string(object, "schema-version", LOGSEQ_SCHEMA_MAX,
		&schema) != -1 &&
	    logseq_body_bool(object, "graph-e2ee?", &e2ee) == 0 &&
	    logseq_body_bool(object, "graph-ready-for-use?", &ready) == 0) {
		list_add(items, buf_bytes(&name));
		list_add(items, buf_bytes(&schema));
		logseq_list_add_u64(items, e2ee);
		logseq_list_add_u64(items, ready);
		logseq_body_add_bool(reply, "graph-e2ee?", e2ee);
		logseq_body_add_bool(reply, "graph-ready-for-use?", ready);
		buf_add_u8(reply, '}');
		r = 0;
	}
	buf_free(&name);
	buf_free(&schema);
	return (r);
}

static void
graphs_new_done(struct logseq_web *w, const struct verdict_in *v)
{
	if (v->code == CODE_EXISTS)
		logseq_error(w, 400, "duplicate graph name");
	else if (v->code == CODE_NOT_FOUND)
		logseq_error(w, 400, "missing user rsa key pair");
	else if (v->code != CODE_OK)
		logseq_refuse(w, v->code);
	else
		logseq_reply(w, 200, buf_bytes(&w->body));
}

/* A random uuid: version 4 (RFC 9562, section 5.4). */
static void
graphs_id(char id[LOGSEQ_UUID_LEN + 1])
{
	uint8_t r[16];
	char hex[33];
	size_t i, n = 0;

	randombytes_buf(r, sizeof(r));
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	sodium_bin2hex(hex, sizeof(hex), r, sizeof(r));
	for (i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			id[n++] = '-';
		id[n++] = hex[i];
	}
	id[n] = '\0';
}

/* Who could open it has access. */
static void
graphs_access(struct logseq_web *w)
{
	logseq_ok(w);
}

static void
graphs_drop(struct logseq_web *w)
{
	const struct submit_out out = { .verb = LOGSEQ_GRAPH_DROP };

	logseq_submit(w, &out);
}

static void
graphs_drop_done(struct logseq_web *w, const struct verdict_in *v)
{
	struct buf json = BUF_INIT;

	if (v->code != CODE_OK) {
		logseq_refuse(w, v->code);
		return;
	}
	buf_add_u8(&json, '{');
	logseq_body_add(&json, "graph-id", w->param[0]);
	logseq_body_add_bool(&json, "deleted", 1);
	buf_add_u8(&json, '}');
	logseq_body_reply(w, &json);
	buf_free(&json);
}

/*
 * The routes below /e2ee (logseq.md, section 2.1): keys go in and out, what
 * they are is the clients' business.
 */
#include "common/logseq_index.h"
#include "worker/logseq_body.h"

#define E2EE_EMAIL_MAX 255
#define E2EE_GRANTS    "target-user-email+encrypted-aes-key-coll"

static void e2ee_keys(struct logseq_web *);
static void e2ee_keys_done(struct logseq_web *, const struct verdict_in *);
static void e2ee_keys_put(struct logseq_web *);
static void e2ee_public(struct logseq_web *);
static void e2ee_public_done(struct logseq_web *, const struct verdict_in *);
static void e2ee_aes(struct logseq_web *);
static void e2ee_aes_done(struct logseq_web *, const struct verdict_in *);
static void e2ee_aes_put(struct logseq_web *);
static void e2ee_grant(struct logseq_web *);
static int e2ee_grant_read(const struct json *, struct buf *);
static void e2ee_grant_done(struct logseq_web *, const struct verdict_in *);
static void e2ee_echo(struct logseq_web *, struct buf *);
static void e2ee_echoed(struct logseq_web *, const struct verdict_in *);

static const struct logseq_steps e2ee_keys_steps = {
	.start = e2ee_keys,
	.verdict = e2ee_keys_done,
};
static const struct logseq_steps e2ee_keys_put_steps = {
	.check = logseq_body_check,
	.start = e2ee_keys_put,
	.verdict = e2ee_echoed,
};
static const struct logseq_steps e2ee_public_steps = {
	.start = e2ee_public,
	.verdict = e2ee_public_done,
};
static const struct logseq_steps e2ee_aes_steps = {
	.start = e2ee_aes,
	.verdict = e2ee_aes_done,
};
static const struct logseq_steps e2ee_aes_put_steps = {
	.check = logseq_body_check,
	.start = e2ee_aes_put,
	.verdict = e2ee_echoed,
};
static const struct logseq_steps e2ee_grant_steps = {
	.check = logseq_body_check,
	.start = e2ee_grant,
	.verdict = e2ee_grant_done,
};

const struct logseq_route logseq_e2ee_routes[] = {
	{ "GET", "/e2ee/user-keys", LOGSEQ_AT_INDEX, &e2ee_keys_steps },
	{ "POST", "/e2ee/user-keys", LOGSEQ_AT_INDEX, &e2ee_keys_put_steps },
	{ "GET", "/e2ee/user-public-key", LOGSEQ_AT_INDEX, &e2ee_public_steps },
	{ "GET", "/e2ee/graphs/:/aes-key", LOGSEQ_AT_GRAPH, &e2ee_aes_steps },
	{ "POST", "/e2ee/graphs/:/aes-key", LOGSEQ_AT_GRAPH,
	    &e2ee_aes_put_steps },
	{ "POST", "/e2ee/graphs/:/grant-access", LOGSEQ_AT_GRAPH,
	    &e2ee_grant_steps },
	{ NULL, NULL, LOGSEQ_AT_NOTHING, NULL },
};

static void
e2ee_keys(struct logseq_web *w)
{
	const struct submit_out out = { .verb = LOGSEQ_KEYS };

	logseq_submit(w, &out);
}

static void
e2ee_keys_done(struct logseq_web *w, const struct verdict_in *v)
{
	struct bytes rest = v->info, public, private;
	struct buf json = BUF_INIT;

	if (v->code != CODE_OK) {
		logseq_refuse(w, v->code);
		return;
	}
	buf_add_u8(&json, '{');
	if (logseq_list_next(&rest, &public) == 0 &&
	    logseq_list_next(&rest, &private) == 0) {
		logseq_body_add(&json, "public-key", public);
		logseq_body_add(&json, "encrypted-private-key", private);
	}
	buf_add_u8(&json, '}');
	logseq_body_reply(w, &json);
	buf_free(&json);
}

static void
e2ee_keys_put(struct logseq_web *w)
{
	struct buf public = BUF_INIT, private = BUF_INIT;
	struct buf items = BUF_INIT, json = BUF_INIT;
	struct submit_out out = { .verb = LOGSEQ_KEYS_PUT };
	struct json object;

	if (logseq_body_object(w, &object) == -1)
		return;
	if (logseq_body_string(&object, "public-key", LOGSEQ_KEY_MAX,
		&public) != 1 ||
	    logseq_body_string(&object, "encrypted-private-key", LOGSEQ_KEY_MAX,
		&private) != 1)
		logseq_body_invalid(w);
	else {
		list_add(&items, buf_bytes(&public));
		list_add(&items, buf_bytes(&private));
		out.items = buf_bytes(&items);
		logseq_submit(w, &out);
		buf_add_str(&json, "{\"public-key\":");
		json_quote(&json, buf_bytes(&public));
		buf_add_str(&json, ",\"encrypted-private-key\":");
		json_quote(&json, buf_bytes(&private));
		e2ee_echo(w, &json);
	}
	buf_free(&public);
	buf_free(&private);
	buf_free(&items);
}

static void
e2ee_public(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_PUBLIC_KEY };
	char email[E2EE_EMAIL_MAX];
	ssize_t n = logseq_query(w, "email", email, sizeof(email));

	if (n <= 0) {
		logseq_reply(w, 200, BYTES_LIT("{}"));
		return;
	}
	out.ref = bytes_of(email, (size_t)n);
	logseq_submit(w, &out);
}

static void
e2ee_public_done(struct logseq_web *w, const struct verdict_in *v)
{
	struct buf json = BUF_INIT;

	if (v->code != CODE_OK) {
		logseq_refuse(w, v->code);
		return;
	}
	buf_add_u8(&json, '{');
	if (v->info.n > 0)
		logseq_body_add(&json, "public-key", v->info);
	buf_add_u8(&json, '}');
	logseq_body_reply(w, &json);
	buf_free(&json);
}

static void
e2ee_aes(struct logseq_web *w)
{
	const struct submit_out out = { .verb = LOGSEQ_AES_KEY };

	logseq_submit(w, &out);
}

static void
e2ee_aes_done(struct logseq_web *w, const struct verdict_in *v)
{
	struct buf json = BUF_INIT;

	if (v->code != CODE_OK) {
		logseq_refuse(w, v->code);
		return;
	}
	buf_add_u8(&json, '{');
	logseq_body_add(&json, "encrypted-aes-key", v->info);
	buf_add_u8(&json, '}');
	logseq_body_reply(w, &json);
	buf_free(&json);
}

static void
e2ee_aes_put(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_AES_KEY_PUT };
	struct buf key = BUF_INIT, json = BUF_INIT;
	struct json object;

	if (logseq_body_object(w, &object) == -1)
		return;
	if (logseq_body_string(&object, "encrypted-aes-key", LOGSEQ_KEY_MAX,
		&key) != 1)
		logseq_body_invalid(w);
	else {
		out.items = buf_bytes(&key);
		logseq_submit(w, &out);
		buf_add_str(&json, "{\"encrypted-aes-key\":");
		json_quote(&json, buf_bytes(&key));
		e2ee_echo(w, &json);
	}
	buf_free(&key);
}

static void
e2ee_grant(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_AES_GRANT };
	struct buf items = BUF_INIT;
	struct json object;

	if (logseq_body_object(w, &object) == -1)
		return;
	if (e2ee_grant_read(&object, &items) == -1)
		logseq_body_invalid(w);
	else {
		out.items = buf_bytes(&items);
		logseq_submit(w, &out);
	}
	buf_free(&items);
}

static int
e2ee_grant_read(const struct json *object, struct buf *items)
{
	struct buf email = BUF_INIT, key = BUF_INIT;
	struct json list, one;
	struct json_iter it;
	size_t n = 0;
	int r = 0;

	json_find(object, E2EE_GRANTS, &list);
	if (list.type != JSON_ARRAY)
		return (-1);
	json_iter_init(&it, &list);
	while (r == 0 && json_iter_next(&it, NULL, &one)) {
		buf_clear(&email);
		buf_clear(&key);
		if (++n > LOGSEQ_GRANTS_MAX || one.type != JSON_OBJECT ||
		    logseq_body_string(&one, "email", E2EE_EMAIL_MAX, &email) !=
			1 ||
		    logseq_body_string(&one, "encrypted-aes-key",
			LOGSEQ_KEY_MAX, &key) != 1)
			r = -1;
		list_add(items, buf_bytes(&email));
		list_add(items, buf_bytes(&key));
	}
	buf_free(&email);
	buf_free(&key);
	return (items->failed ? -1 : r);
}

static void
e2ee_grant_done(struct logseq_web *w, const struct verdict_in *v)
{
	struct bytes rest = v->info, email;
	struct buf json = BUF_INIT;
	size_t n;

	if (v->code != CODE_OK) {
		logseq_refuse(w, v->code);
		return;
	}
	buf_add_str(&json, "{\"ok\":true");
	for (n = 0; list_next(&rest, &email) == 1; n++) {
		buf_add_str(&json, n == 0 ? ",\"missing-users\":[" : ",");
		json_quote(&json, email);
	}
	buf_add_str(&json, n > 0 ? "]}" : "}");
	logseq_body_reply(w, &json);
	buf_free(&json);
}

/* What was sent is the answer once it is kept; takes the text over. */
static void
e2ee_echo(struct logseq_web *w, struct buf *json)
{
	buf_add_u8(json, '}');
	buf_free(&w->body);
	w->body = *json;
	*json = (struct buf)BUF_INIT;
}

static void
e2ee_echoed(struct logseq_web *w, const struct verdict_in *v)
{
	if (v->code != CODE_OK)
		logseq_refuse(w, v->code);
	else
		logseq_body_reply(w, &w->body);
}

/*
 * The routes below /graphs/:id/members (logseq.md, section 2).
 */
#include "common/logseq_index.h"
#include "worker/logseq_body.h"
#include "worker/logseq_listing.h"

#define MEMBERS_NAME_MAX 255 /* octets of a user's id or email */

static void members_list(struct logseq_web *);
static int members_list_read(struct bytes, struct bytes *, uint64_t *);
static void members_list_write(struct buf *, struct bytes,
    const struct logseq_web *);
static void members_add(struct logseq_web *);
static void members_add_done(struct logseq_web *, const struct verdict_in *);
static void members_role(struct logseq_web *);
static void members_drop(struct logseq_web *);

static const struct listing_kind members_listing = {
	.verb = LOGSEQ_MEMBERS,
	.name = "members",
	.read = members_list_read,
	.write = members_list_write,
};

static const struct logseq_steps members_list_steps = {
	.start = members_list,
	.verdict = logseq_listing_verdict,
	.free = logseq_listing_free,
};
static const struct logseq_steps members_add_steps = {
	.check = logseq_body_check,
	.start = members_add,
	.verdict = members_add_done,
};
static const struct logseq_steps members_role_steps = {
	.check = logseq_body_check,
	.start = members_role,
	.verdict = logseq_body_done,
};
static const struct logseq_steps members_drop_steps = {
	.start = members_drop,
	.verdict = logseq_body_done,
};

const struct logseq_route logseq_members_routes[] = {
	{ "GET", "/graphs/:/members", LOGSEQ_AT_GRAPH, &members_list_steps },
	{ "POST", "/graphs/:/members", LOGSEQ_AT_GRAPH, &members_add_steps },
	{ "PUT", "/graphs/:/members/:", LOGSEQ_AT_GRAPH, &members_role_steps },
	{ "DELETE", "/graphs/:/members/:", LOGSEQ_AT_GRAPH,
	    &members_drop_steps },
	{ NULL, NULL, LOGSEQ_AT_NOTHING, NULL },
};

static void
members_list(struct logseq_web *w)
{
	logseq_listing_start(w, &members_listing);
}

static int
members_list_read(struct bytes packed, struct bytes *key, uint64_t *order)
{
	struct logseq_member_row m;

	if (logseq_member_unpack(packed, &m) == -1)
		return (-1);
	*key = m.user;
	*order = m.created_ms;
	return (0);
}

static void
members_list_write(struct buf *out, struct bytes packed,
    const struct logseq_web *w)
{
	struct logseq_member_row m;

	logseq_member_unpack(packed, &m);
	logseq_body_add(out, "user-id", m.user);
	logseq_body_add(out, "graph-id", w->param[0]);
	logseq_body_add_role(out, m.role);
	logseq_body_add(out, "invited-by", m.invited_by);
	logseq_body_add_u64(out, "created-at", m.created_ms);
	logseq_body_add(out, "email", m.email);
	logseq_body_add(out, "username", m.username);
}

/* With both, the user's id counts. */
static void
members_add(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_MEMBER_ADD,
		.clock = LOGSEQ_MEMBER };
	struct buf user = BUF_INIT, email = BUF_INIT;
	struct json object;

	if (logseq_body_object(w, &object) == -1)
		return;
	if (logseq_body_string(&object, "user-id", MEMBERS_NAME_MAX, &user) ==
		-1 ||
	    logseq_body_string(&object, "email", MEMBERS_NAME_MAX, &email) ==
		-1 ||
	    logseq_body_role(&object, &out.clock) == -1 ||
	    (user.len == 0 && email.len == 0))
		logseq_body_invalid(w);
	else {
		if (user.len > 0)
			out.author = buf_bytes(&user);
		else
			out.ref = buf_bytes(&email);
		logseq_submit(w, &out);
	}
	buf_free(&user);
	buf_free(&email);
}

static void
members_add_done(struct logseq_web *w, const struct verdict_in *v)
{
	if (v->code == CODE_NOT_FOUND)
		logseq_error(w, 400, "user not found");
	else
		logseq_body_done(w, v);
}

static void
members_role(struct logseq_web *w)
{
	struct submit_out out = { .verb = LOGSEQ_MEMBER_ROLE,
		.author = w->param[1] };
	struct json object;

	if (logseq_body_object(w, &object) == -1)
		return;
	if (logseq_body_role(&object, &out.clock) == -1 || out.clock == 0 ||
	    out.author.n > MEMBERS_NAME_MAX)
		logseq_body_invalid(w);
	else
		logseq_submit(w, &out);
}

static void
members_drop(struct logseq_web *w)
{
	const struct submit_out out = { .verb = LOGSEQ_MEMBER_DROP,
		.author = w->param[1] };

	if (out.author.n > MEMBERS_NAME_MAX)
		logseq_body_invalid(w);
	else
		logseq_submit(w, &out);
}

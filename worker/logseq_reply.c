/* Answers of the logseq dialect over HTTP. */
#include "worker/logseq.h"

#define REPLY_JSON "application/json"

struct reply_code {
	enum code code;
	unsigned status;
	const char *text; /* clients compare these */
};

static const struct reply_code reply_codes[] = {
	{ CODE_BAD_TOKEN, 401, "unauthorized" },
	{ CODE_EXPIRED, 401, "unauthorized" },
	{ CODE_REVOKED, 401, "unauthorized" },
	{ CODE_NO_SCOPE, 403, "forbidden" },
	{ CODE_WRONG_STORE, 403, "forbidden" },
	{ CODE_NOT_FOUND, 404, "not found" },
	{ CODE_DISABLED, 404, "not found" },
	{ CODE_NOT_READY, 409, "graph not ready" },
	{ CODE_STALE, 409, "snapshot upload in progress" },
	{ CODE_TOO_LARGE, 413, "too large" },
	{ CODE_INVALID, 400, "invalid request" },
	{ CODE_QUOTA, 507, "quota exceeded" },
	{ CODE_BUSY, 503, "try again later" },
	{ CODE_SHUTDOWN, 503, "try again later" },
	{ CODE_KICKED, 503, "try again later" },
};

void
logseq_reply(struct logseq_web *w, unsigned status, struct bytes json)
{
	conn_http_reply(w->conn, status, status == 204 ? NULL : REPLY_JSON,
	    LOGSEQ_CORS, json, status == 413);
	logseq_ended(w);
}

void
logseq_ok(struct logseq_web *w)
{
	logseq_reply(w, 200, BYTES_LIT("{\"ok\":true}"));
}

void
logseq_error(struct logseq_web *w, unsigned status, const char *text)
{
	struct buf json = BUF_INIT;

	buf_add_str(&json, "{\"error\":");
	json_quote(&json, bytes_str(text));
	buf_add_u8(&json, '}');
	logseq_reply(w, status, buf_bytes(&json));
	buf_free(&json);
}

void
logseq_refuse(struct logseq_web *w, enum code code)
{
	size_t i;

	for (i = 0; i < sizeof(reply_codes) / sizeof(*reply_codes); i++)
		if (reply_codes[i].code == code) {
			logseq_error(w, reply_codes[i].status,
			    reply_codes[i].text);
			return;
		}
	logseq_error(w, 500, "server error");
}

void
logseq_begin(struct logseq_web *w, unsigned status, const char *type,
    const char *headers, uint64_t size)
{
	struct buf lines = BUF_INIT;

	w->told = 1;
	buf_add_str(&lines, LOGSEQ_CORS);
	if (headers != NULL)
		buf_add_str(&lines, headers);
	buf_add_u8(&lines, '\0');
	if (lines.failed)
		conn_drop(w->conn);
	else
		conn_http_begin(w->conn, status, type,
		    (const char *)buf_bytes(&lines).p, size);
	buf_free(&lines);
}

void
logseq_data(struct logseq_web *w, struct bytes b)
{
	conn_http_data(w->conn, b);
}

void
logseq_end(struct logseq_web *w, int close)
{
	/* What is cut off must not look whole. */
	if (close)
		conn_drop(w->conn);
	else
		conn_http_end(w->conn, 0);
	logseq_ended(w);
}

void
logseq_url_add(struct buf *out, struct bytes b)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	size_t i;

	for (i = 0; i < b.n; i++)
		if (memchr(plain, b.p[i], sizeof(plain) - 1) != NULL)
			buf_add_u8(out, b.p[i]);
		else
			buf_printf(out, "%%%02X", b.p[i]);
}

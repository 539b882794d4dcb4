/*
 * Rows of the index as lists, and the names that both sides must agree on.
 */
#include "common/logseq_index.h"
#include "common/wire.h"

#define COLUMNS(table) (sizeof(table) / sizeof((table)[0]))

static int index_name_ok(struct bytes);

static const struct logseq_column graph_columns[] = {
	LOGSEQ_TEXT(logseq_graph_row, id),
	LOGSEQ_TEXT(logseq_graph_row, name),
	LOGSEQ_TEXT(logseq_graph_row, schema),
	LOGSEQ_NUMBER(logseq_graph_row, e2ee),
	LOGSEQ_NUMBER(logseq_graph_row, ready),
	LOGSEQ_NUMBER(logseq_graph_row, role),
	LOGSEQ_TEXT(logseq_graph_row, invited_by),
	LOGSEQ_NUMBER(logseq_graph_row, created_ms),
	LOGSEQ_NUMBER(logseq_graph_row, updated_ms),
};

static const struct logseq_column member_columns[] = {
	LOGSEQ_TEXT(logseq_member_row, user),
	LOGSEQ_NUMBER(logseq_member_row, role),
	LOGSEQ_TEXT(logseq_member_row, invited_by),
	LOGSEQ_NUMBER(logseq_member_row, created_ms),
	LOGSEQ_TEXT(logseq_member_row, email),
	LOGSEQ_TEXT(logseq_member_row, username),
};

int
logseq_graph_pack(struct buf *out, const struct logseq_graph_row *row)
{
	return (
	    logseq_row_pack(out, row, graph_columns, COLUMNS(graph_columns)));
}

int
logseq_graph_unpack(struct bytes in, struct logseq_graph_row *row)
{
	return (
	    logseq_row_unpack(in, row, graph_columns, COLUMNS(graph_columns)));
}

int
logseq_member_pack(struct buf *out, const struct logseq_member_row *row)
{
	return (
	    logseq_row_pack(out, row, member_columns, COLUMNS(member_columns)));
}

int
logseq_member_unpack(struct bytes in, struct logseq_member_row *row)
{
	return (logseq_row_unpack(in, row, member_columns,
	    COLUMNS(member_columns)));
}

int
logseq_row_pack(struct buf *out, const void *row, const struct logseq_column *c,
    size_t n)
{
	const void *member;
	size_t i;

	for (i = 0; i < n; i++) {
		member = (const char *)row + c[i].offset;
		if (c[i].number)
			logseq_list_add_u64(out, *(const uint64_t *)member);
		else
			list_add(out, *(const struct bytes *)member);
	}
	return (out->failed ? -1 : 0);
}

int
logseq_row_unpack(struct bytes in, void *row, const struct logseq_column *c,
    size_t n)
{
	void *member;
	size_t i;

	for (i = 0; i < n; i++) {
		member = (char *)row + c[i].offset;
		if ((c[i].number ? logseq_list_next_u64(&in, (uint64_t *)member)
				 : logseq_list_next(&in,
				       (struct bytes *)member)) == -1)
			return (-1);
	}
	return (in.n == 0 ? 0 : -1);
}

int
logseq_list_add_u64(struct buf *out, uint64_t v)
{
	uint8_t be[8];

	be64_put(be, v);
	return (list_add(out, bytes_of(be, sizeof(be))));
}

int
logseq_list_next(struct bytes *in, struct bytes *out)
{
	return (list_next(in, out) == 1 ? 0 : -1);
}

int
logseq_list_next_u64(struct bytes *in, uint64_t *v)
{
	struct bytes b;

	if (list_next(in, &b) != 1 || b.n != sizeof(*v))
		return (-1);
	*v = be64_get(b.p);
	return (0);
}

int
logseq_uuid_ok(struct bytes b)
{
	size_t i;

	if (b.n != LOGSEQ_UUID_LEN)
		return (0);
	for (i = 0; i < b.n; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (b.p[i] != '-')
				return (0);
		} else if ((b.p[i] < '0' || b.p[i] > '9') &&
		    (b.p[i] < 'a' || b.p[i] > 'f'))
			return (0);
	return (1);
}

int
logseq_asset_name_ok(struct bytes name)
{
	size_t dot = name.n;

	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	return (name.n <= LOGSEQ_ASSET_NAME_MAX && dot > 0 &&
	    index_name_ok(bytes_of(name.p, dot - 1)) &&
	    index_name_ok(bytes_skip(name, dot)));
}

int
logseq_asset_key(struct buf *key, struct bytes name)
{
	buf_clear(key);
	buf_add_u8(key, LOGSEQ_REG_INDEX);
	return (buf_add_bytes(key, name));
}

static int
index_name_ok(struct bytes part)
{
	size_t i;

	if (part.n == 0 || part.p[0] == '.')
		return (0);
	for (i = 0; i < part.n; i++)
		if ((part.p[i] < '0' || part.p[i] > '9') &&
		    (part.p[i] < 'a' || part.p[i] > 'z') &&
		    (part.p[i] < 'A' || part.p[i] > 'Z') && part.p[i] != '.' &&
		    part.p[i] != '_' && part.p[i] != '-')
			return (0);
	return (1);
}

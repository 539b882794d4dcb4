/*
 * The WebSocket frame codec.  The checks follow the order of the octets they
 * look at, so that a drip feed is refused exactly as a whole buffer is.
 * Answering (pongs, echoing a close) is not here.
 */
#include "worker/ws.h"

/* A header as far as it has arrived. */
struct ws_head {
	size_t size; /* octets of the header, 0 while unknown */
	uint8_t opcode;
	uint8_t fin;
	uint64_t len;
};

static int ws_head_read(struct ws *, struct bytes, struct ws_head *);
static int ws_head_first(struct ws *, uint8_t, struct ws_head *);
static int ws_head_second(struct ws *, uint8_t, const struct ws_head *);
static int ws_head_length(struct ws *, struct bytes, struct ws_head *);
static ssize_t ws_data_begin(struct ws *, uint8_t *, size_t, struct ws_event *,
    const struct ws_head *);
static ssize_t ws_data(struct ws *, uint8_t *, size_t, struct ws_event *);
static ssize_t ws_control(struct ws *, uint8_t *, size_t, struct ws_event *,
    const struct ws_head *);
static int ws_control_close(struct ws *, struct ws_event *);
static int ws_refuse(struct ws *, unsigned, const char *);

void
ws_init(struct ws *w, int client, uint64_t message_max)
{
	memset(w, 0, sizeof(*w));
	w->client = client;
	w->message_max = message_max;
	w->fragments_max = WS_FRAGMENTS_MAX;
}

int
ws_amid(const struct ws *ws)
{
	return (ws->in_payload || ws->message != 0);
}

ssize_t
ws_feed(struct ws *w, uint8_t *p, size_t n, struct ws_event *ev)
{
	struct ws_head h = { 0, 0, 0, 0 };

	memset(ev, 0, sizeof(*ev));
	if (w->code != 0)
		return (-1);
	if (n == 0)
		return (0);
	if (w->closed)
		return ((ssize_t)n);
	if (w->in_payload)
		return (ws_data(w, p, n, ev));
	if (ws_head_read(w, bytes_of(p, n), &h) == -1)
		return (-1);
	if (h.size == 0 || h.size > n)
		return (0);
	if (h.opcode >= WS_CLOSE)
		return (ws_control(w, p, n, ev, &h));
	return (ws_data_begin(w, p, n, ev, &h));
}

int
ws_code_valid(unsigned code)
{
	if (code >= 3000 && code <= 4999)
		return (1);
	return (
	    (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014));
}

void
ws_mask(uint8_t *p, size_t n, const uint8_t key[4], uint64_t at)
{
	uint8_t pattern[8];
	uint64_t word, mask;
	size_t i;

	for (i = 0; i < 8; i++)
		pattern[i] = key[(at + i) & 3];
	memcpy(&mask, pattern, sizeof(mask));
	for (i = 0; n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		word ^= mask;
		memcpy(p + i, &word, sizeof(word));
	}
	for (; i < n; i++)
		p[i] ^= pattern[i & 3];
}

size_t
ws_header_masked(uint8_t out[WS_HEADER_MAX], enum ws_opcode opcode, int fin,
    uint64_t len, const uint8_t key[4])
{
	size_t n = ws_header(out, opcode, fin, len);

	out[1] |= 0x80;
	memcpy(out + n, key, 4);
	return (n + 4);
}

size_t
ws_close_payload(uint8_t out[WS_CONTROL_MAX], unsigned code,
    struct bytes reason)
{
	if (code == WS_CODE_NONE)
		return (0);
	reason = utf8_cut(reason, WS_REASON_MAX);
	out[0] = (uint8_t)(code >> 8);
	out[1] = (uint8_t)code;
	if (reason.n > 0)
		memcpy(out + 2, reason.p, reason.n);
	return (2 + reason.n);
}

size_t
ws_close_frame(uint8_t out[2 + WS_CONTROL_MAX], unsigned code,
    struct bytes reason)
{
	size_t n = ws_close_payload(out + 2, code, reason);

	out[0] = 0x80 | WS_CLOSE;
	out[1] = (uint8_t)n;
	return (2 + n);
}

/* Checks what there is of a header; h->size stays 0 while it is cut off. */
static int
ws_head_read(struct ws *w, struct bytes in, struct ws_head *h)
{
	if (ws_head_first(w, in.p[0], h) == -1)
		return (-1);
	if (in.n < 2)
		return (0);
	if (ws_head_second(w, in.p[1], h) == -1)
		return (-1);
	return (ws_head_length(w, in, h));
}

/* FIN, RSV and opcode: also whether such a frame may come now. */
static int
ws_head_first(struct ws *w, uint8_t o, struct ws_head *h)
{
	h->fin = o >> 7;
	h->opcode = o & 0x0f;
	if ((o & 0x70) != 0)
		return (ws_refuse(w, WS_CODE_PROTOCOL, "reserved bit set"));
	if (h->opcode > WS_PONG ||
	    (h->opcode > WS_BINARY && h->opcode < WS_CLOSE))
		return (ws_refuse(w, WS_CODE_PROTOCOL, "reserved opcode"));
	if (h->opcode >= WS_CLOSE && h->fin)
		return (0);
	if (h->opcode >= WS_CLOSE)
		return (ws_refuse(w, WS_CODE_PROTOCOL, "control in pieces"));
	if (h->opcode == WS_CONTINUATION && w->message == 0)
		return (ws_refuse(w, WS_CODE_PROTOCOL, "stray continuation"));
	if (h->opcode != WS_CONTINUATION && w->message != 0)
		return (ws_refuse(w, WS_CODE_PROTOCOL, "message in a message"));
	if (w->fragments >= w->fragments_max)
		return (ws_refuse(w, WS_CODE_POLICY, "too many fragments"));
	return (0);
}

static int
ws_head_second(struct ws *w, uint8_t o, const struct ws_head *h)
{
	if ((o >> 7) == (w->client != 0))
		return (ws_refuse(w, WS_CODE_PROTOCOL,
		    w->client ? "masked frame" : "unmasked frame"));
	if (h->opcode >= WS_CLOSE && (o & 0x7f) > WS_CONTROL_MAX)
		return (
		    ws_refuse(w, WS_CODE_PROTOCOL, "control frame too long"));
	return (0);
}

static int
ws_head_length(struct ws *w, struct bytes in, struct ws_head *h)
{
	uint8_t form = in.p[1] & 0x7f;
	size_t size = form == 127 ? 10 : form == 126 ? 4 : 2;
	uint64_t least = form == 127 ? 0x10000 : form == 126 ? 126 : 0;

	if (in.n < size)
		return (0);
	h->len = form;
	if (form == 126)
		h->len = (uint64_t)in.p[2] << 8 | in.p[3];
	else if (form == 127)
		h->len = be64_get(in.p + 2);
	if (h->len < least && !w->lengths_any)
		return (ws_refuse(w, WS_CODE_PROTOCOL, "length not minimal"));
	/* The limit may have become less in the middle of a message. */
	if (h->opcode < WS_CLOSE &&
	    (w->total > w->message_max || h->len > w->message_max - w->total))
		return (ws_refuse(w, WS_CODE_SIZE, "message too big"));
	h->size = size + (w->client ? 0 : 4);
	return (0);
}

static ssize_t
ws_data_begin(struct ws *w, uint8_t *p, size_t n, struct ws_event *ev,
    const struct ws_head *h)
{
	ssize_t used;

	if (!w->client)
		memcpy(w->mask, p + h->size - 4, sizeof(w->mask));
	ev->first = w->message == 0;
	if (ev->first)
		w->message = h->opcode;
	w->fin = h->fin;
	w->len = h->len;
	w->at = 0;
	w->fragments++;
	w->in_payload = 1;
	used = ws_data(w, p + h->size, n - h->size, ev);
	return (used == -1 ? -1 : (ssize_t)h->size + used);
}

/* Delivers what there is of a frame's payload, even if that is nothing. */
static ssize_t
ws_data(struct ws *w, uint8_t *p, size_t n, struct ws_event *ev)
{
	size_t take = n < w->len - w->at ? n : (size_t)(w->len - w->at);

	if (!w->client)
		ws_mask(p, take, w->mask, w->at);
	ev->opcode = w->message;
	ev->data = bytes_of(p, take);
	ev->declared = w->total + (w->len - w->at);
	w->at += take;
	w->total += take;
	ev->total = w->total;
	w->in_payload = w->at < w->len;
	ev->last = !w->in_payload && w->fin;
	if (w->message == WS_TEXT &&
	    (utf8_feed(&w->text, ev->data) == -1 ||
		(ev->last && !utf8_done(&w->text))))
		return (ws_refuse(w, WS_CODE_UTF8, "invalid UTF-8"));
	if (ev->last) {
		w->message = 0;
		w->fragments = 0;
		w->total = 0;
		memset(&w->text, 0, sizeof(w->text));
	}
	return ((ssize_t)take);
}

static ssize_t
ws_control(struct ws *w, uint8_t *p, size_t n, struct ws_event *ev,
    const struct ws_head *h)
{
	if (n - h->size < h->len)
		return (0);
	if (!w->client)
		ws_mask(p + h->size, (size_t)h->len, p + h->size - 4, 0);
	ev->opcode = h->opcode;
	ev->first = ev->last = 1;
	ev->declared = ev->total = h->len;
	ev->data = bytes_of(p + h->size, (size_t)h->len);
	if (h->opcode == WS_CLOSE && ws_control_close(w, ev) == -1)
		return (-1);
	return ((ssize_t)(h->size + h->len));
}

static int
ws_control_close(struct ws *w, struct ws_event *ev)
{
	ev->code = WS_CODE_NONE;
	w->closed = 1;
	if (ev->data.n == 0)
		return (0);
	if (ev->data.n == 1)
		return (ws_refuse(w, WS_CODE_PROTOCOL, "close of one octet"));
	ev->code = (uint16_t)(ev->data.p[0] << 8 | ev->data.p[1]);
	ev->data = bytes_skip(ev->data, 2);
	if (!ws_code_valid(ev->code))
		return (ws_refuse(w, WS_CODE_PROTOCOL, "illegal close code"));
	if (!utf8_valid(ev->data))
		return (ws_refuse(w, WS_CODE_UTF8, "invalid UTF-8 in reason"));
	return (0);
}

static int
ws_refuse(struct ws *w, unsigned code, const char *reason)
{
	w->code = (uint16_t)code;
	w->reason = reason;
	return (-1);
}

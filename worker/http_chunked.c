/*
 * Chunked bodies: a state an octet of framing, data passed on as slices.
 */
#include "common/hex.h"
#include "worker/http.h"

enum http_chunked_state {
	CHUNKED_SIZE,	  /* digits of a size, then CR or ';' */
	CHUNKED_EXT,	  /* an extension, to its CR */
	CHUNKED_SIZE_LF,  /* the LF behind a size */
	CHUNKED_DATA,	  /* octets of body */
	CHUNKED_DATA_CR,  /* the CR behind them */
	CHUNKED_DATA_LF,  /* and its LF */
	CHUNKED_LINE,	  /* the start of a trailer line, or the last CR */
	CHUNKED_TRAILER,  /* inside a trailer line, to its CR */
	CHUNKED_LINE_LF,  /* the LF of a trailer line */
	CHUNKED_LAST_LF,  /* the LF of the empty line */
	CHUNKED_COMPLETE, /* nothing more is read */
	CHUNKED_STATES
};

static int chunked_octet(struct http_chunked *, uint8_t);
static int chunked_size(struct http_chunked *, uint8_t);
static int chunked_size_lf(struct http_chunked *, uint8_t);
static int chunked_text(struct http_chunked *, uint8_t);
static int chunked_line(struct http_chunked *, uint8_t);
static int chunked_refuse(struct http_chunked *, int, const char *);

/* States that take exactly one octet, and where it leads. */
static const struct {
	uint8_t want;
	uint8_t next;
} chunked_fixed[CHUNKED_STATES] = {
	[CHUNKED_DATA_CR] = { '\r', CHUNKED_DATA_LF },
	[CHUNKED_DATA_LF] = { '\n', CHUNKED_SIZE },
	[CHUNKED_LINE_LF] = { '\n', CHUNKED_LINE },
	[CHUNKED_LAST_LF] = { '\n', CHUNKED_COMPLETE },
};

void
http_chunked_init(struct http_chunked *c, uint64_t body_max)
{
	memset(c, 0, sizeof(*c));
	c->body_max = body_max;
	c->state = CHUNKED_SIZE;
}

ssize_t
http_chunked_feed(struct http_chunked *c, struct bytes in, struct bytes *piece)
{
	size_t i = 0;

	*piece = BYTES_NONE;
	if (c->status != 0)
		return (-1);
	while (i < in.n && c->state != CHUNKED_DATA &&
	    c->state != CHUNKED_COMPLETE)
		if (chunked_octet(c, in.p[i++]) == -1)
			return (-1);
	if (c->state != CHUNKED_DATA || i == in.n)
		return ((ssize_t)i);
	*piece = bytes_skip(in, i);
	if (piece->n > c->left)
		piece->n = (size_t)c->left;
	c->left -= piece->n;
	c->total += piece->n;
	if (c->left == 0)
		c->state = CHUNKED_DATA_CR;
	return ((ssize_t)(i + piece->n));
}

int
http_chunked_done(const struct http_chunked *c)
{
	return (c->state == CHUNKED_COMPLETE);
}

static int
chunked_octet(struct http_chunked *c, uint8_t o)
{
	switch (c->state) {
	case CHUNKED_SIZE:
		return (chunked_size(c, o));
	case CHUNKED_SIZE_LF:
		return (chunked_size_lf(c, o));
	case CHUNKED_EXT:
	case CHUNKED_TRAILER:
		return (chunked_text(c, o));
	case CHUNKED_LINE:
		return (chunked_line(c, o));
	default:
		if (o != chunked_fixed[c->state].want)
			return (chunked_refuse(c, 400, "malformed chunk"));
		c->state = chunked_fixed[c->state].next;
		return (0);
	}
}

static int
chunked_size(struct http_chunked *c, uint8_t o)
{
	int digit = hex_digit(o);

	if (digit == -1) {
		if (c->digits == 0 || (o != '\r' && o != ';'))
			return (chunked_refuse(c, 400, "malformed chunk size"));
		c->digits = 0;
		c->state = o == ';' ? CHUNKED_EXT : CHUNKED_SIZE_LF;
		return (0);
	}
	if (++c->digits > 16)
		return (chunked_refuse(c, 400, "malformed chunk size"));
	c->left = c->left << 4 | (uint64_t)digit;
	if (c->left > c->body_max - c->total)
		return (chunked_refuse(c, 413, "body too large"));
	return (0);
}

static int
chunked_size_lf(struct http_chunked *c, uint8_t o)
{
	if (o != '\n')
		return (chunked_refuse(c, 400, "malformed chunk"));
	c->state = c->left == 0 ? CHUNKED_LINE : CHUNKED_DATA;
	return (0);
}

/* An octet of an extension or a trailer: looked at, counted, dropped. */
static int
chunked_text(struct http_chunked *c, uint8_t o)
{
	if (o == '\r') {
		c->state =
		    c->state == CHUNKED_EXT ? CHUNKED_SIZE_LF : CHUNKED_LINE_LF;
		return (0);
	}
	if ((o < 0x20 && o != '\t') || o == 0x7f)
		return (chunked_refuse(c, 400, "control character in chunk"));
	if (++c->overhead > HTTP_OVERHEAD_MAX)
		return (chunked_refuse(c, 400, "too much around the chunks"));
	return (0);
}

static int
chunked_line(struct http_chunked *c, uint8_t o)
{
	if (o == '\r') {
		c->state = CHUNKED_LAST_LF;
		return (0);
	}
	if (o == ' ' || o == '\t' || o == ':')
		return (chunked_refuse(c, 400, "malformed trailer"));
	c->state = CHUNKED_TRAILER;
	return (chunked_text(c, o));
}

static int
chunked_refuse(struct http_chunked *c, int status, const char *reason)
{
	c->status = status;
	c->reason = reason;
	return (-1);
}

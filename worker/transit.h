/*
 * Transit over JSON (transit-format 0.8; logseq.md, section 8), the compact
 * form: JSON text in which strings carry types and repeat as codes.
 *
 * Both directions speak in tokens: a scalar, or the opening of an array, map
 * or tagged value with a TRANSIT_END for its last octet.  A text is copied,
 * with or without codes, by writing the tokens that are read.  Nothing
 * recurses and nothing is built: what a stranger's text costs is its length
 * and the bounds below.
 *
 * Refused, beside what is no JSON: objects (the verbose form), codes that
 * stand for nothing, maps with a key and no value or with an array or map as
 * key, tags without exactly one value, integers beyond 64 bits, and ~u ~i ~m
 * ~d ~? ~_ with a text that is none, and a ~ with NUL behind it.  Tags and
 * scalars of unknown kind are handed on as they are.
 */
#ifndef QUIRE_TRANSIT_H
#define QUIRE_TRANSIT_H

#include "common/buf.h"
#include "common/json.h"
#include "worker/transit_cache.h"

#define TRANSIT_DEPTH_MAX 64
#define TRANSIT_UUID_LEN  36

enum transit_type {
	TRANSIT_NULL,
	TRANSIT_BOOL,	 /* i */
	TRANSIT_INT,	 /* i; also written 1.0 or 1e3 */
	TRANSIT_FLOAT,	 /* d, finite */
	TRANSIT_STRING,	 /* text */
	TRANSIT_KEYWORD, /* text without its colon */
	TRANSIT_UUID,	 /* text: 36 characters, lower case */
	TRANSIT_INSTANT, /* i: milliseconds, unix time */
	TRANSIT_SCALAR,	 /* any other ~x: letter and text */
	TRANSIT_ARRAY,
	TRANSIT_MAP, /* then key, value, key, value ... */
	TRANSIT_TAG, /* text: its name; then one value */
	TRANSIT_END,
};

struct transit {
	enum transit_type type;
	uint8_t letter;
	int key; /* read: it is the key of a map */
	int64_t i;
	double d;
	struct bytes text; /* UTF-8, or WTF-8 where a surrogate is alone */
};

/* What is open, outermost first; shared by both directions. */
struct transit_level {
	uint8_t type; /* TRANSIT_ARRAY, _MAP or _TAG */
	uint32_t n;   /* tokens so far, nested ones as one */
};

struct transit_reader {
	struct json_scan scan;
	struct transit_codes codes;
	struct transit_level level[TRANSIT_DEPTH_MAX];
	unsigned depth;
	struct json pending; /* read ahead to see what an array is */
	struct buf text;     /* of a string with escapes */
	char uuid[TRANSIT_UUID_LEN];
	const char *reason; /* why -1 */
};

/* The text must stay until the last token was used. */
void transit_reader_init(struct transit_reader *, struct bytes text);
void transit_reader_free(struct transit_reader *);

/*
 * 1 and a token, whose text is good until the next call; 0 at the end of good
 * text; -1 with reason, and for ever after.
 */
int transit_next(struct transit_reader *, struct transit *);

/* The opening token at the end of which we are: skips what is inside. */
int transit_skip(struct transit_reader *, const struct transit *);

/* A uuid in its one form: lower case.  0, or -1: it is none. */
int transit_uuid(char out[TRANSIT_UUID_LEN], struct bytes text);

struct transit_writer {
	struct buf *out;
	struct transit_cache *cache; /* NULL: every string in full */
	struct transit_level level[TRANSIT_DEPTH_MAX];
	unsigned depth;
	struct buf text; /* of a string with its marks */
	int failed;
};

/* Appends to out.  The cache, if any, is emptied: it belongs to one text. */
void transit_writer_init(struct transit_writer *, struct buf *out,
    struct transit_cache *);
/* 0, or -1 when a token did not fit: out is then worth nothing. */
int transit_writer_done(struct transit_writer *);

/* Failures are kept for transit_writer_done. */
void transit_write(struct transit_writer *, const struct transit *);

/* Tokens in short. */
void transit_open(struct transit_writer *, enum transit_type);
void transit_close(struct transit_writer *);
void transit_write_int(struct transit_writer *, int64_t);
void transit_write_text(struct transit_writer *, enum transit_type,
    struct bytes);

/*
 * Appends a whole value, whose first token was just read, as a text of its
 * own without codes: equal values of one writer have equal texts.  0, or -1:
 * the reader's reason, or no memory and no reason.
 */
int transit_copy(struct transit_reader *, const struct transit *first,
    struct buf *out);

#endif

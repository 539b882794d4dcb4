/*
 * quirectl token inspect: what a token says, and whether the keys here would
 * take it.  Offline, as minting is; what was revoked the broker knows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base64url.h"
#include "common/limits.h"
#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/token_parts.h"

/* With header and MAC there is room for what no token may have. */
#define INSPECT_MAX_BYTES (2 * TOKEN_MAX_BYTES + JWT_MAC_MAX)

struct inspect {
	int as_json;
	const char *keys;
	const char *path; /* NULL: standard input */
};

static int inspect_args(struct inspect *, int, char **);
static int inspect_read(const char *, struct buf *);
static int inspect_token(const struct inspect *, struct bytes,
    const struct keyring *, const struct config *);
static json_t *inspect_part(struct bytes);
static int inspect_verify(struct bytes input, struct bytes mac64,
    const struct keyring *, const struct config *);
static void inspect_people(const char *, const json_t *);

int
ctl_token_inspect(const struct ctl *ctl, int argc, char **argv)
{
	struct inspect a = { 0, NULL, NULL };
	struct config *config;
	struct keyring *ring = NULL;
	struct buf token = BUF_INIT;
	struct bytes text;
	int status;

	if (inspect_args(&a, argc, argv) == -1)
		return (ctl_usage(argv[0]));
	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	if ((ring = keyring_load(a.keys != NULL ? a.keys : config->keys)) ==
	    NULL)
		status = ctl_exit_errno(errno);
	else if ((status = inspect_read(a.path, &token)) == 0) {
		text = buf_bytes(&token);
		while (text.n > 0 && text.p[text.n - 1] <= ' ')
			text.n--;
		status = inspect_token(&a, text, ring, config);
	}
	buf_wipe(&token);
	keyring_free(ring);
	config_free(config);
	return (status);
}

static int
inspect_args(struct inspect *a, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+jk:")) != -1)
		if (c == 'j')
			a->as_json = 1;
		else if (c == 'k')
			a->keys = optarg;
		else
			return (-1);
	if (argc - optind == 1 && strcmp(argv[optind], "-") != 0)
		a->path = argv[optind];
	return (argc - optind > 1 ? -1 : 0);
}

static int
inspect_read(const char *path, struct buf *out)
{
	FILE *in = path == NULL ? stdin : fopen(path, "r");
	uint8_t *room = buf_room(out, INSPECT_MAX_BYTES);
	int status = 0;

	if (in != NULL && room != NULL)
		buf_grow(out, fread(room, 1, INSPECT_MAX_BYTES, in));
	if (in == NULL || room == NULL || ferror(in)) {
		status = ctl_exit_errno(errno);
		log_warn("%s", path == NULL ? "standard input" : path);
	}
	if (in != NULL && in != stdin)
		fclose(in);
	return (status);
}

/* What it says is shown even if it is refused. */
static int
inspect_token(const struct inspect *a, struct bytes token,
    const struct keyring *ring, const struct config *config)
{
	json_t *header, *claims, *whole = NULL;
	struct bytes input, mac64, header64, payload64;
	int result, status = EX_DATAERR;

	if (token_split(token, &input, &mac64) == -1 ||
	    !token_parts(input, &header64, &payload64)) {
		log_warnx("this is no token");
		return (EX_DATAERR);
	}
	header = inspect_part(header64);
	claims = inspect_part(payload64);
	result = inspect_verify(input, mac64, ring, config);
	if (header == NULL || claims == NULL)
		log_warnx("this is no token");
	else if (!a->as_json) {
		printf("result %s\n", token_result_name(result));
		inspect_people("header", header);
		inspect_people("claim", claims);
		status = result == TOKEN_OK ? 0 : EX_DATAERR;
	} else if ((whole = json_pack("{s:s,s:O,s:O}", "result",
			token_result_name(result), "header", header, "claims",
			claims)) != NULL &&
	    json_dumpf(whole, stdout, JSON_INDENT(2)) == 0) {
		putchar('\n');
		status = result == TOKEN_OK ? 0 : EX_DATAERR;
	}
	json_decref(whole);
	json_decref(header);
	json_decref(claims);
	return (status);
}

static json_t *
inspect_part(struct bytes text64)
{
	uint8_t text[TOKEN_MAX_BYTES];
	ssize_t n = base64url_decode(text, sizeof(text), text64);

	return (n == -1 ? NULL : claims_json(bytes_of(text, (size_t)n), 0));
}

/* Dialects ask for more: an audience, or a subject. */
static int
inspect_verify(struct bytes input, struct bytes mac64,
    const struct keyring *ring, const struct config *config)
{
	const struct token_rules rules = { .issuer = config->issuer,
		.skew_s = config->skew,
		.exp_required = config->exp_required,
		.sub_empty = true };
	struct bytes header64, payload64;
	struct claims claims;
	uint8_t mac[JWT_MAC_MAX];
	char kid[JWT_KID_MAX + 1];
	ssize_t nmac, nkid;
	int result;

	token_parts(input, &header64, &payload64);
	if ((nmac = base64url_decode(mac, sizeof(mac), mac64)) == -1)
		return (TOKEN_BAD_SHAPE);
	if ((nkid = jwt_header_kid(header64, kid, sizeof(kid))) == -1)
		return (TOKEN_BAD_HEADER);
	result = token_verify(ring, &rules, input, bytes_of(mac, (size_t)nmac),
	    bytes_of(kid, (size_t)nkid), (int64_t)time(NULL), &claims);
	if (result == TOKEN_OK)
		claims_free(&claims);
	return (result);
}

/* jansson writes what cannot be printed safely as escapes. */
static void
inspect_people(const char *what, const json_t *object)
{
	const json_t *value;
	const char *name;
	char *text;
	void *at;

	for (at = json_object_iter((json_t *)(uintptr_t)object); at != NULL;
	     at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
		char quoted[256];

		name = json_object_iter_key(at);
		value = json_object_iter_value(at);
		text = json_dumps(value,
		    JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
		printf("%s %s %s\n", what,
		    log_quote(quoted, sizeof(quoted), bytes_str(name)),
		    text == NULL ? "?" : text);
		free(text);
	}
}

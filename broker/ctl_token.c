/*
 * quirectl keygen, pubkey and token: offline, from the key file alone.  What a
 * token may say is decided in token.c and claims.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/token.h"

#define CTL_JTI_OCTETS	  9u
#define CTL_JTI_LEN	  12u
#define CTL_TTL_DEFAULT_S 86400
#define CTL_TTL_MAX_S	  ((int64_t)36500 * 86400)

/* What the options of `token' said. */
struct ctl_token_args {
	const char *keys; /* NULL: as the configuration has it */
	const char *kid;  /* NULL: the first key that can sign */
	int64_t ttl_s;	  /* 0: never expires */
	struct token_mint mint;
	char jti[CTL_JTI_LEN + 1]; /* unless one was given */
	struct bytes aud[CLAIMS_LIST_MAX];
};

static int ctl_token_args(struct ctl_token_args *, int, char **);
static int ctl_token_arg(struct ctl_token_args *, int, const char *);
static int ctl_token_jti(char[CTL_JTI_LEN + 1]);
static int ctl_token_print(const struct ctl_token_args *, const char *);
static int ctl_token_object(struct bytes);
static int ctl_print(struct bytes);

int
ctl_keygen(const struct ctl *ctl, int argc, char **argv)
{
	enum key_alg alg = KEY_HS256;
	const char *kid = "";
	int c, error;

	(void)ctl;
	while ((c = getopt(argc, argv, "+eK:")) != -1)
		if (c == 'e')
			alg = KEY_EDDSA;
		else if (c == 'K')
			kid = optarg;
		else
			return (ctl_usage(argv[0]));
	if (argc - optind != 1)
		return (ctl_usage(argv[0]));
	if (*kid != '\0' && !ctl_kid_ok(kid))
		return (EX_DATAERR);
	if (keyring_generate(argv[optind], alg, kid) == 0)
		return (0);
	error = errno;
	log_warn("%s", argv[optind]);
	return (error == EACCES || error == EPERM ? EX_NOPERM : EX_CANTCREAT);
}

int
ctl_pubkey(const struct ctl *ctl, int argc, char **argv)
{
	struct keyring *ring;
	struct buf out = BUF_INIT;
	int status = 0;
	size_t i;

	(void)ctl;
	if (argc != 2)
		return (ctl_usage(argv[0]));
	if ((ring = keyring_load(argv[1])) == NULL)
		return (ctl_exit_errno(errno));
	for (i = 0; i < ring->n; i++)
		if (ring->keys[i].alg == KEY_EDDSA)
			keyring_public_line(&out, &ring->keys[i]);
	keyring_free(ring);
	if (out.len == 0) {
		log_warnx("%s: no EdDSA key", argv[1]);
		status = EX_DATAERR;
	} else if (ctl_print(buf_bytes(&out)) == -1)
		status = EX_IOERR;
	buf_free(&out);
	return (status);
}

int
ctl_token(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_token_args a = { .ttl_s = CTL_TTL_DEFAULT_S };
	struct config *config = NULL;
	int status;

	a.mint.aud = a.aud;
	if (ctl_token_jti(a.jti) == -1)
		return (EX_OSERR);
	a.mint.jti = bytes_str(a.jti);
	if (ctl_token_args(&a, argc, argv) == -1)
		return (ctl_usage(argv[0]));
	/* A key file that was named needs no configuration. */
	if (a.keys == NULL || ctl->conf_path != NULL) {
		if ((config = ctl_config(ctl)) == NULL)
			return (EX_CONFIG);
		if (a.mint.iss == NULL)
			a.mint.iss = config->issuer;
	}
	status = ctl_token_print(&a, a.keys != NULL ? a.keys : config->keys);
	config_free(config);
	return (status);
}

static int
ctl_token_args(struct ctl_token_args *a, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+j:k:K:s:a:S:t:i:x:")) != -1)
		if (c == '?' || ctl_token_arg(a, c, optarg) == -1)
			return (-1);
	if (argc != optind || a->mint.sub.p == NULL || a->mint.aud_n == 0 ||
	    a->mint.scope == SCOPE_NONE)
		return (-1);
	return (0);
}

static int
ctl_token_arg(struct ctl_token_args *a, int option, const char *value)
{
	switch (option) {
	case 'j':
		a->mint.jti = bytes_str(value);
		return (0);
	case 'k':
		a->keys = value;
		return (0);
	case 'K':
		a->kid = value;
		return (0);
	case 's':
		a->mint.sub = bytes_str(value);
		return (0);
	case 'a':
		if (a->mint.aud_n == CLAIMS_LIST_MAX)
			return (-1);
		a->aud[a->mint.aud_n++] = bytes_str(value);
		return (0);
	case 'S':
		a->mint.scope = scope_parse(bytes_str(value));
		if (a->mint.scope == SCOPE_NONE)
			log_warnx("-S %s: not read, write or admin", value);
		return (a->mint.scope == SCOPE_NONE ? -1 : 0);
	case 't':
		if (ctl_duration(value, &a->ttl_s) == 0)
			return (0);
		log_warnx("-t %s: not a number with s, m, h or d", value);
		return (-1);
	case 'i':
		a->mint.iss = value;
		return (0);
	default:
		a->mint.extra = bytes_str(value);
		return (0);
	}
}

/* A name by which it can be revoked. */
static int
ctl_token_jti(char jti[CTL_JTI_LEN + 1])
{
	uint8_t octets[CTL_JTI_OCTETS];

	if (sodium_init() == -1)
		return (-1);
	randombytes_buf(octets, sizeof(octets));
	sodium_bin2base64(jti, CTL_JTI_LEN + 1, octets, sizeof(octets),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return (0);
}

int
ctl_duration(const char *text, int64_t *s)
{
	static const struct {
		const char *unit;
		int64_t s;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
		{ "d", 86400 } };
	char *end;
	long long n;
	size_t i;

	if (*text < '0' || *text > '9')
		return (-1);
	n = strtoll(text, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0 &&
		    n <= CTL_TTL_MAX_S / units[i].s) {
			*s = n * units[i].s;
			return (0);
		}
	return (-1);
}

static int
ctl_token_print(const struct ctl_token_args *a, const char *path)
{
	struct token_mint mint = a->mint;
	struct keyring *ring;
	struct buf out = BUF_INIT;
	int status = 0;

	/* It has said why. */
	if ((ring = keyring_load(path)) == NULL)
		return (ctl_exit_errno(errno));
	mint.iat = (int64_t)time(NULL);
	mint.exp = a->ttl_s == 0 ? INT64_MAX : mint.iat + a->ttl_s;
	if (token_mint(ring, a->kid, &mint, &out) == -1) {
		status = EX_DATAERR;
		if (errno == ENOENT)
			log_warnx("%s: no such key that can sign", path);
		else if (errno == EINVAL)
			log_warnx("%s",
			    ctl_token_object(mint.extra)
				? "these claims would be refused"
				: "-x: not an object of JSON");
		else
			log_warn("token");
	} else if (buf_add_u8(&out, '\n') == -1 ||
	    ctl_print(buf_bytes(&out)) == -1)
		status = EX_IOERR;
	buf_wipe(&out);
	keyring_free(ring);
	return (status);
}

static int
ctl_token_object(struct bytes text)
{
	json_t *j = json_loadb((const char *)text.p, text.n,
	    JSON_REJECT_DUPLICATES, NULL);
	int is = text.p == NULL || json_is_object(j);

	json_decref(j);
	return (is);
}

static int
ctl_print(struct bytes text)
{
	return (
	    fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0
		? 0
		: -1);
}

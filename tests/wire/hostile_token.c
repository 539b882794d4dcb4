/*
 * Tokens that somebody made up (RFC 8725 and what else is known), through the
 * real listener: each is answered with 101 and close 4001 or 4003, leaves one
 * line in the log, and no octet of a token or key is ever there.
 * unit/token has many more of them; here it is the way that counts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "common/base64url.h"
#include "common/log.h"
#include "tests/lib/client.h"

#define SECRET	"a key of a test, and nobody else's at all"
#define HEADER	"{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS	"\"sub\":\"a\",\"aud\":\"demo\",\"scope\":\"write\""
#define PAYLOAD "{" CLAIMS "}"
#define FAR	"\"exp\":4102444800"

enum sign { GOOD, NONE, ZERO, FLIPPED, CUT, LONGER, PADDED, PARTS_4, PARTS_2 };

static const struct hostile {
	const char *header;
	const char *payload;
	enum sign sign;
	unsigned int code; /* 0: it is good */
} rows[] = {
	{ HEADER, PAYLOAD, GOOD, 0 },
	{ HEADER, "{" CLAIMS "," FAR "}", GOOD, 0 },
	{ "{\"alg\":\"none\"}", PAYLOAD, NONE, 4001 },
	{ "{\"alg\":\"None\"}", PAYLOAD, GOOD, 4001 },
	{ "{\"alg\":\"NONE\"}", PAYLOAD, ZERO, 4001 },
	{ "{\"typ\":\"JWT\"}", PAYLOAD, GOOD, 4001 },
	{ "{\"alg\":\"HS256\",\"alg\":\"none\"}", PAYLOAD, GOOD, 4001 },
	{ "{\"alg\":[\"HS256\"]}", PAYLOAD, GOOD, 4001 },
	{ "{\"alg\":\"HS384\"}", PAYLOAD, GOOD, 4001 },
	{ "{\"alg\":\"RS256\"}", PAYLOAD, GOOD, 4001 },
	{ "{\"alg\":\"EdDSA\"}", PAYLOAD, GOOD, 4001 },
	/* With a key that has no kid, a kid is but a name. */
	{ "{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", PAYLOAD, GOOD, 0 },
	{ "{\"alg\":\"HS256\",\"kid\":\"x' or 1=1\"}", PAYLOAD, GOOD, 0 },
	{ "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", PAYLOAD, GOOD, 4001 },
	{ "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}", PAYLOAD, GOOD,
	    4001 },
	{ HEADER, PAYLOAD, NONE, 4001 },
	{ HEADER, PAYLOAD, ZERO, 4001 },
	{ HEADER, PAYLOAD, FLIPPED, 4001 },
	{ HEADER, PAYLOAD, CUT, 4001 },
	{ HEADER, PAYLOAD, LONGER, 4001 },
	{ HEADER, PAYLOAD, PADDED, 4001 },
	{ HEADER, PAYLOAD, PARTS_4, 4001 },
	{ HEADER, PAYLOAD, PARTS_2, 4001 },
	{ HEADER, "{" CLAIMS ",\"exp\":1}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"exp\":\"4102444800\"}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"exp\":1e400}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"exp\":-1}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"exp\":null}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"exp\":true}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"exp\":NaN}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"nbf\":4102444800}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"scope\":\"admin\"}", GOOD, 4001 },
	{ HEADER, "{" CLAIMS ",\"\\u0073cope\":\"admin\"}", GOOD, 4001 },
	{ HEADER, PAYLOAD "x", GOOD, 4001 },
	{ HEADER, "\xef\xbb\xbf" PAYLOAD, GOOD, 4001 },
	{ HEADER, "[" PAYLOAD "]", GOOD, 4001 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":\"demo\"}", GOOD, 4001 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":\"demo\",\"scope\":[\"write\"]}",
	    GOOD, 4001 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":\"demo\",\"scope\":\"Write\"}", GOOD,
	    4001 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":\"demo\",\"scope\":\"write \"}", GOOD,
	    4001 },
	{ HEADER, "{\"sub\":1,\"aud\":\"demo\",\"scope\":\"write\"}", GOOD,
	    4001 },
	{ HEADER, "{\"sub\":\"a\\ud800\",\"aud\":\"demo\",\"scope\":\"write\"}",
	    GOOD, 4001 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":[\"demo\"],\"scope\":\"write\"}",
	    GOOD, 4001 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":null,\"scope\":\"write\"}", GOOD,
	    4001 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":\"Demo\",\"scope\":\"write\"}", GOOD,
	    4003 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":\"dem\",\"scope\":\"write\"}", GOOD,
	    4003 },
	{ HEADER, "{\"sub\":\"a\",\"aud\":\"demo/../x\",\"scope\":\"write\"}",
	    GOOD, 4003 },
	{ HEADER,
	    "{\"sub\":\"\\n\\u001b[31mroot\",\"aud\":\"x\","
	    "\"scope\":\"write\"}",
	    GOOD, 4003 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
part(struct buf *out, struct bytes b)
{
	char text[BASE64URL_LEN(1024)];

	if (b.n > 1024)
		fatalx(1, "too long");
	buf_add(out, text, base64url_encode(text, b));
}

static void
token(struct buf *out, const struct hostile *h)
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES + 1] = { 0 };
	crypto_auth_hmacsha256_state hmac;
	size_t n = crypto_auth_hmacsha256_BYTES;

	part(out, bytes_str(h->header));
	buf_add_u8(out, '.');
	part(out, bytes_str(h->payload));
	if (h->sign == PARTS_2)
		return;
	crypto_auth_hmacsha256_init(&hmac, (const uint8_t *)SECRET,
	    sizeof(SECRET) - 1);
	crypto_auth_hmacsha256_update(&hmac, buf_bytes(out).p, out->len);
	if (h->sign != ZERO)
		crypto_auth_hmacsha256_final(&hmac, mac);
	mac[0] ^= h->sign == FLIPPED;
	n = h->sign == NONE ? 0 : h->sign == CUT ? 16 : n;
	buf_add_u8(out, '.');
	part(out, bytes_of(mac, n + (h->sign == LONGER)));
	if (h->sign == PADDED)
		buf_add_str(out, "%3d");
	if (h->sign == PARTS_4)
		buf_add_str(out, ".AAAA");
}

/* Whatever it is, it is let in first and told then. */
static void
present(const struct server *s, struct bytes text, unsigned int code)
{
	struct ctl_url url = { .host = "127.0.0.1" };
	struct ctl_ws_message m;
	struct ctl_ws ws;
	char *target;

	if (asprintf(&target, "/ws/demo?token=%.*s", (int)text.n,
		(const char *)text.p) == -1)
		fatal(1, "no memory");
	snprintf(url.port, sizeof(url.port), "%u", s->port);
	url.target = target;
	ctl_ws_init(&ws);
	if (ctl_ws_dial(&ws, &url, CLIENT_MS) != 1 ||
	    ctl_ws_upgrade(&ws, &url, BYTES_NONE, CLIENT_MS) != 1 ||
	    ctl_ws_send(&ws, WS_PING, BYTES_LIT("?"), CLIENT_MS) != 1)
		fatalx(1, "%s", ws.why == NULL ? "late" : ws.why);
	client_next(&ws, &m);
	if (code == 0 ? m.opcode != WS_PONG
		      : m.opcode != WS_CLOSE || m.code != code)
		fatalx(1, "opcode %u code %u, not %u", m.opcode, m.code, code);
	ctl_ws_close(&ws);
	free(target);
}

/* One line each, and nothing of what they were made of. */
static void
look(const char *log)
{
	static char text[1024 * 1024];
	const char *at = text;
	size_t n = 0, refused = 0, i;
	FILE *f = fopen(log, "r");

	if (f == NULL || (n = fread(text, 1, sizeof(text) - 1, f)) == 0)
		fatal(1, "%s", log);
	fclose(f);
	text[n] = '\0';
	while ((at = strstr(at, "login refused")) != NULL) {
		refused++;
		at++;
	}
	for (i = 0; i < ROWS; i++)
		refused -= rows[i].code != 0;
	if (refused != 0)
		fatalx(1, "%zd lines too many", (ssize_t)refused);
	if (strstr(text, SECRET) != NULL || strstr(text, "eyJ") != NULL ||
	    strstr(text, "token=") != NULL || strchr(text, 033) != NULL)
		fatalx(1, "there is a token or a key in the log");
}

int
main(void)
{
	static struct server s;
	struct buf text = BUF_INIT;
	char *log, *keys;
	size_t i;
	FILE *f;
	int own = dup(STDERR_FILENO), fd;

	server_make(&s);
	keys = server_path(&s, "keys");
	log = server_path(&s, "log");
	if (sodium_init() == -1 || (f = fopen(keys, "w")) == NULL ||
	    fprintf(f, "- HS256 text:%s\n", SECRET) < 0 || fclose(f) == EOF ||
	    (fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600)) == -1)
		fatal(1, "%s", s.dir);
	dup2(fd, STDERR_FILENO);
	server_start(&s, SERVER_ALL);
	dup2(own, STDERR_FILENO);
	printf("1..%zu\n", ROWS + 1);
	for (i = 0; i < ROWS; i++) {
		buf_clear(&text);
		token(&text, &rows[i]);
		present(&s, buf_bytes(&text), rows[i].code);
		printf("ok %zu - %s %s %d\n", i + 1, rows[i].header,
		    rows[i].code == 0 ? "is good" : "is refused", rows[i].sign);
	}
	server_stop(&s, SERVER_ALL, 0);
	look(log);
	printf("ok %zu - one line each, and no secret\n", ROWS + 1);
	server_remove(&s);
	buf_free(&text);
	free(keys);
	free(log);
	return (0);
}

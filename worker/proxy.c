/* Networks, PROXY headers, X-Forwarded-For: octets in, an address out. */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "worker/proxy.h"

#define PROXY_V1_MAX  107 /* octets of a line, with its end */
#define PROXY_V2_HEAD 16
#define PROXY_V2_MAX  4096 /* octets behind the head: nobody needs as many */

static int proxy_number(const char *text, int *family, uint8_t out[16]);
static int proxy_within(const char *network, int family, const uint8_t *);
static ssize_t proxy_v1(struct bytes, char *);
static ssize_t proxy_v2(struct bytes, char *);
static int proxy_word(struct bytes *line, char *out, size_t size);
static int proxy_same(struct bytes in, const void *magic, size_t n);

int
proxy_listed(char *const *networks, const char *address)
{
	uint8_t octets[16];
	int family;

	if (networks == NULL || proxy_number(address, &family, octets) == -1)
		return (0);
	for (; *networks != NULL; networks++)
		if (proxy_within(*networks, family, octets))
			return (1);
	return (0);
}

ssize_t
proxy_header(struct bytes in, char address[PROXY_ADDRESS_MAX])
{
	static const uint8_t v2[] = { 13, 10, 13, 10, 0, 13, 10, 'Q', 'U', 'I',
		'T', 10 };
	static const char v1[] = "PROXY ";

	address[0] = '\0';
	if (in.n == 0)
		return (0);
	if (proxy_same(in, v2, sizeof(v2)))
		return (in.n < PROXY_V2_HEAD ? 0 : proxy_v2(in, address));
	if (proxy_same(in, v1, sizeof(v1) - 1))
		return (in.n < sizeof(v1) ? 0 : proxy_v1(in, address));
	return (-1);
}

int
proxy_forwarded(char *const *networks, struct bytes list,
    char address[PROXY_ADDRESS_MAX])
{
	uint8_t octets[16];
	size_t begin, end = list.n;
	int family;

	for (; end > 0; end = begin == 0 ? 0 : begin - 1) {
		begin = end;
		while (begin > 0 && list.p[begin - 1] != ',')
			begin--;
		while (end > begin && list.p[end - 1] == ' ')
			end--;
		while (begin < end && list.p[begin] == ' ')
			begin++;
		if (end - begin >= PROXY_ADDRESS_MAX)
			return (-1);
		memcpy(address, list.p + begin, end - begin);
		address[end - begin] = '\0';
		/* Behind what is no address nobody vouches for anything. */
		if (proxy_number(address, &family, octets) == -1)
			return (-1);
		if (!proxy_listed(networks, address))
			return (0);
		while (begin > 0 && list.p[begin - 1] == ' ')
			begin--;
	}
	return (-1);
}

static int
proxy_number(const char *text, int *family, uint8_t out[16])
{
	*family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
	return (inet_pton(*family, text, out) == 1 ? 0 : -1);
}

static int
proxy_within(const char *network, int family, const uint8_t *octets)
{
	const char *slash = strchr(network, '/');
	size_t n = slash == NULL ? strlen(network) : (size_t)(slash - network);
	unsigned long bits = family == AF_INET6 ? 128 : 32;
	char text[PROXY_ADDRESS_MAX];
	uint8_t base[16];
	unsigned int mask;
	int its;

	if (n >= sizeof(text))
		return (0);
	memcpy(text, network, n);
	text[n] = '\0';
	if (proxy_number(text, &its, base) == -1 || its != family)
		return (0);
	if (slash != NULL && strtoul(slash + 1, NULL, 10) < bits)
		bits = strtoul(slash + 1, NULL, 10);
	if (memcmp(base, octets, bits / 8) != 0)
		return (0);
	mask = 0xff00u >> bits % 8 & 0xff;
	return (
	    bits % 8 == 0 || ((base[bits / 8] ^ octets[bits / 8]) & mask) == 0);
}

/* "PROXY TCP4 1.2.3.4 5.6.7.8 1234 80\r\n", or "PROXY UNKNOWN ...\r\n" */
static ssize_t
proxy_v1(struct bytes in, char *address)
{
	struct bytes line =
	    bytes_of(in.p, in.n < PROXY_V1_MAX ? in.n : PROXY_V1_MAX);
	const uint8_t *end = memchr(line.p, '\n', line.n);
	char word[5][PROXY_ADDRESS_MAX];
	uint8_t octets[16];
	int family;
	size_t i, used;

	if (end == NULL)
		return (line.n < PROXY_V1_MAX ? 0 : -1);
	used = (size_t)(end + 1 - line.p);
	if (end[-1] != '\r')
		return (-1);
	line = bytes_of(in.p + 6, used - 8);
	if (proxy_word(&line, word[0], sizeof(word[0])) == -1)
		return (-1);
	if (strcmp(word[0], "UNKNOWN") == 0)
		return ((ssize_t)used);
	for (i = 1; i < 5; i++)
		if (proxy_word(&line, word[i], sizeof(word[i])) == -1)
			return (-1);
	if (line.n != 0 || proxy_number(word[1], &family, octets) == -1 ||
	    strcmp(word[0], family == AF_INET6 ? "TCP6" : "TCP4") != 0)
		return (-1);
	memcpy(address, word[1], sizeof(word[1]));
	return ((ssize_t)used);
}

static ssize_t
proxy_v2(struct bytes in, char *address)
{
	static const struct {
		uint8_t kind; /* family and transport */
		size_t least;
		int family;
	} rows[] = { { 0x11, 12, AF_INET }, { 0x21, 36, AF_INET6 } };
	size_t i, n = (size_t)in.p[14] << 8 | in.p[15];

	if (in.p[12] != 0x20 && in.p[12] != 0x21)
		return (-1);
	if (n > PROXY_V2_MAX)
		return (-1);
	if (in.n < PROXY_V2_HEAD + n)
		return (0);
	for (i = 0; in.p[12] == 0x21 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (in.p[13] == rows[i].kind) {
			if (n < rows[i].least ||
			    inet_ntop(rows[i].family, in.p + PROXY_V2_HEAD,
				address, PROXY_ADDRESS_MAX) == NULL)
				return (-1);
			break;
		}
	return ((ssize_t)(PROXY_V2_HEAD + n));
}

/* The next word of a line whose words stand one blank apart. */
static int
proxy_word(struct bytes *line, char *out, size_t size)
{
	const uint8_t *blank;
	size_t n = line->n;

	if (n > 0 && (blank = memchr(line->p, ' ', n)) != NULL)
		n = (size_t)(blank - line->p);
	if (n == 0 || n >= size || memchr(line->p, '\0', n) != NULL)
		return (-1);
	memset(out, 0, size);
	memcpy(out, line->p, n);
	*line = bytes_skip(*line, n < line->n ? n + 1 : n);
	return (0);
}

/* As far as there is anything, it is the same. */
static int
proxy_same(struct bytes in, const void *magic, size_t n)
{
	return (memcmp(in.p, magic, in.n < n ? in.n : n) == 0);
}

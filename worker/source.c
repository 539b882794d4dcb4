/* Counting by address, penalties, and the throw of the dice. */
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>

#include "worker/source.h"

static const int64_t penalty_ms[] = {
	[SOURCE_LATE] = 5000,
	[SOURCE_REFUSED] = 1000,
	[SOURCE_CRASHED] = 90000,
};

static size_t penalty_set(const struct penalties *, const struct source *);

void
source_unmap(struct sockaddr_storage *ss)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6;

	memcpy(&in6, ss, sizeof(in6));
	if (ss->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	in.sin_port = in6.sin6_port;
	memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
	memset(ss, 0, sizeof(*ss));
	memcpy(ss, &in, sizeof(in));
}

void
source_of(struct source *source, const struct sockaddr_storage *ss)
{
	const void *p = (const void *)ss;
	const struct sockaddr_in *in = p;
	const struct sockaddr_in6 *in6 = p;

	memset(source, 0, sizeof(*source));
	source->octet[0] = ss->ss_family == AF_INET6 ? 6 : 4;
	if (ss->ss_family == AF_INET6)
		memcpy(source->octet + 1, &in6->sin6_addr, 8);
	else if (ss->ss_family == AF_INET)
		memcpy(source->octet + 1, &in->sin_addr, 4);
}

/* All of ::/64 is nobody but ::1; and what has no address is a local socket. */
int
source_is_loopback(const struct source *source)
{
	static const uint8_t none[8];

	return (memcmp(source->octet + 1, none, sizeof(none)) == 0 ||
	    (source->octet[0] == 4 && source->octet[1] == 127));
}

void
penalty_add(struct penalties *table, const struct source *source,
    enum source_end end, int64_t now_ms)
{
	struct penalty *p = table->set[penalty_set(table, source)], *at = p;
	int64_t ms;
	size_t i;

	if ((size_t)end >= sizeof(penalty_ms) / sizeof(penalty_ms[0]) ||
	    (ms = penalty_ms[end]) == 0)
		return;
	for (i = 0; i < PENALTY_WAYS; i++) {
		if (memcmp(&p[i].source, source, sizeof(*source)) == 0) {
			at = &p[i];
			break;
		}
		if (p[i].until_ms < at->until_ms)
			at = &p[i];
	}
	if (i == PENALTY_WAYS || at->until_ms <= now_ms)
		*at = (struct penalty){ .source = *source, .until_ms = now_ms };
	at->until_ms += ms;
	if (at->until_ms > now_ms + PENALTY_MAX_MS)
		at->until_ms = now_ms + PENALTY_MAX_MS;
	if (at->until_ms >= now_ms + PENALTY_MIN_MS)
		at->counts = 1;
}

int
penalty_counts(const struct penalties *table, const struct source *source,
    int64_t now_ms)
{
	const struct penalty *p = table->set[penalty_set(table, source)];
	size_t i;

	for (i = 0; i < PENALTY_WAYS; i++)
		if (memcmp(&p[i].source, source, sizeof(*source)) == 0)
			return (p[i].counts && now_ms < p[i].until_ms);
	return (0);
}

int
source_crowded(unsigned int fresh, unsigned int most)
{
	return (fresh > most / 2);
}

int
source_unlucky(unsigned int fresh, unsigned int most, uint32_t dice)
{
	unsigned int begin = most / 2;

	if (!source_crowded(fresh, most))
		return (0);
	return (dice % 1000 <
	    300 + 700 * (uint64_t)(fresh - begin) / (most - begin));
}

static size_t
penalty_set(const struct penalties *table, const struct source *source)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t n;

	crypto_shorthash(h, source->octet, sizeof(source->octet), table->key);
	memcpy(&n, h, sizeof(n));
	return ((size_t)(n % PENALTY_SETS));
}

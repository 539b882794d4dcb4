/*
 * The page for people: status.html as it stands in the tree, and the policy
 * that lets its own script and style run and nothing else.
 */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "broker/web.h"

#define PAGE_HASH_MAX                                                          \
	sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES,                    \
	    sodium_base64_VARIANT_ORIGINAL)

/* One string a line: web_page.inc is made of status.html by the build. */
static const char *const page_lines[] = {
#include "web_page.inc"
};

static void page_hash(struct bytes page, const char *open, const char *close,
    char hash[PAGE_HASH_MAX]);

void
web_page(struct broker *b, struct web_answer *a)
{
	static char policy[256];
	char script[PAGE_HASH_MAX], style[PAGE_HASH_MAX];
	size_t i;

	(void)b;
	for (i = 0; i < sizeof(page_lines) / sizeof(page_lines[0]); i++)
		buf_add_str(&a->body, page_lines[i]);
	page_hash(buf_bytes(&a->body), "<script>", "</script>", script);
	page_hash(buf_bytes(&a->body), "<style>", "</style>", style);
	snprintf(policy, sizeof(policy),
	    "default-src 'none'; connect-src 'self'; script-src 'sha256-%s'; "
	    "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'",
	    script, style);
	a->type = "text/html";
	a->policy = policy;
}

/* Of what stands between the two. */
static void
page_hash(struct bytes page, const char *open, const char *close,
    char hash[PAGE_HASH_MAX])
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	const uint8_t *from, *to = NULL;

	hash[0] = '\0';
	from = page.n == 0 ? NULL : memmem(page.p, page.n, open, strlen(open));
	if (from != NULL) {
		from += strlen(open);
		to = memmem(from, page.n - (size_t)(from - page.p), close,
		    strlen(close));
	}
	if (to == NULL)
		return;
	crypto_hash_sha256(digest, from, (size_t)(to - from));
	sodium_bin2base64(hash, PAGE_HASH_MAX, digest, sizeof(digest),
	    sodium_base64_VARIANT_ORIGINAL);
}

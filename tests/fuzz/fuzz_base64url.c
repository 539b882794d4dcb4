/*
 * The strict decoder.  What it takes is what the encoder writes, and the check
 * agrees with it.
 */
#include <stdlib.h>

#include "common/base64url.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	uint8_t *out = malloc(size + 1);
	char *again = malloc(BASE64URL_LEN(size) + 1);
	ssize_t n;

	must(out != NULL && again != NULL);
	n = base64url_decode(out, size, in);
	must(n == base64url_check(in));
	if (n >= 0) {
		must(base64url_encode(again, bytes_of(out, (size_t)n)) == size);
		must(bytes_eq(bytes_of(again, size), in));
	}
	n = (ssize_t)base64url_encode(again, in);
	must((size_t)n == BASE64URL_LEN(size));
	(void)base64_is_ws_key(in);
	free(out);
	free(again);
	return (0);
}

/*
 * What a proxy says in front of a request, and X-Forwarded-For.  An address
 * that comes out is one, and what was read is within what there is.
 */
#include "worker/proxy.h"
#include "tests/fuzz/fuzz.h"

static char *const networks[] = { (char[]){ "10.0.0.0/8" },
	(char[]){ "2001:db8::/33" }, NULL };

/* Listed where every address is, which only an address can be. */
static int
fuzz_is_address(const char *text)
{
	char *const all[] = { (char[]){ "0.0.0.0/0" }, (char[]){ "::/0" },
		NULL };

	return (proxy_listed(all, text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_of(data, size);
	char address[PROXY_ADDRESS_MAX];
	ssize_t n = proxy_header(in, address);

	must(n <= (ssize_t)size);
	must(address[0] == '\0' || (n > 0 && fuzz_is_address(address)));
	if (proxy_forwarded(networks, in, address) == 0) {
		must(fuzz_is_address(address));
		must(!proxy_listed(networks, address));
	}
	return (0);
}

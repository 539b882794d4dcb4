/*
 * quire.conf as text.  What is accepted must print and read back as itself;
 * every refusal must have been reported.
 */
#include <stdlib.h>

#include "broker/config.h"
#include "tests/fuzz/fuzz.h"

static void fuzz_count(void *, const char *);
static char *fuzz_print(const struct config *);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *one, *two;
	unsigned int errors = 0;
	char *a, *b;

	if (config_parse(bytes_of(data, size), fuzz_count, &errors, &one) ==
	    -1) {
		must(errors != 0);
		return (0);
	}
	must(errors == 0);
	a = fuzz_print(one);
	must(config_parse(bytes_str(a), fuzz_count, &errors, &two) == 0);
	b = fuzz_print(two);
	must(strcmp(a, b) == 0);
	free(a);
	free(b);
	config_free(one);
	config_free(two);
	return (0);
}

static void
fuzz_count(void *errors, const char *text)
{
	must(strlen(text) < 512);
	++*(unsigned int *)errors;
}

static char *
fuzz_print(const struct config *config)
{
	char *text;
	size_t n;
	FILE *fp = open_memstream(&text, &n);

	must(fp != NULL);
	config_print(config, fp);
	must(fclose(fp) == 0);
	return (text);
}

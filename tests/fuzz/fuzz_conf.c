/*
 * quire.conf as text.  What is accepted must print and read back as itself;
 * every refusal must have been reported.
 */
#include <stdlib.h>

#include "broker/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void fuzz_must(int);
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
		fuzz_must(errors != 0);
		return (0);
	}
	fuzz_must(errors == 0);
	a = fuzz_print(one);
	fuzz_must(config_parse(bytes_str(a), fuzz_count, &errors, &two) == 0);
	b = fuzz_print(two);
	fuzz_must(strcmp(a, b) == 0);
	free(a);
	free(b);
	config_free(one);
	config_free(two);
	return (0);
}

static void
fuzz_must(int truth)
{
	if (!truth)
		abort();
}

static void
fuzz_count(void *errors, const char *text)
{
	fuzz_must(strlen(text) < 512);
	++*(unsigned int *)errors;
}

static char *
fuzz_print(const struct config *config)
{
	char *text;
	size_t n;
	FILE *fp = open_memstream(&text, &n);

	fuzz_must(fp != NULL);
	config_print(config, fp);
	fuzz_must(fclose(fp) == 0);
	return (text);
}

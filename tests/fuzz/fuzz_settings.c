/*
 * WELCOME's lines as a worker reads them.  What is taken has lists that end and
 * texts that are there.
 */
#include "worker/settings.h"
#include "tests/fuzz/fuzz.h"

static void
fuzz_text(const char *text)
{
	must(text != NULL && strlen(text) < SIZE_MAX);
}

static void
fuzz_list(char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		fuzz_text(*list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings s;

	if (settings_parse(&s, bytes_of(data, size)) == -1)
		return (0);
#define NUMBER(name)
#define TEXT(name) fuzz_text(s.name);
#define LIST(name) fuzz_list(s.name);
#include "common/settings.def"
#undef NUMBER
#undef TEXT
#undef LIST
	settings_free(&s);
	return (0);
}

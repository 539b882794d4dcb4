#include <stdio.h>
#include <string.h>

#include "tests/lib/said.h"

char said[4096];

void
say(void *arg, const char *text)
{
	size_t n = strlen(said);

	(void)arg;
	snprintf(said + n, sizeof(said) - n, "%s\n", text);
}

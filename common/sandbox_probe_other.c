/* No attempts but those that every Unix knows. */
#include <stddef.h>

#include "common/sandbox_probe.h"

const struct sandbox_attempt sandbox_attempts_here[] = {
	{ NULL, NULL, 0, 0 },
};

void
sandbox_attempts_prepare_here(void)
{
}

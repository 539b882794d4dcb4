/*
 * What a fuzz target is, and how it says that something is wrong.
 */
#ifndef QUIRE_FUZZ_H
#define QUIRE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static inline void
must(int truth)
{
	if (!truth)
		abort();
}

#endif

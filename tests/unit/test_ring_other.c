/*
 * The ring once more over the memory of systems without seals.  Defined here,
 * these functions keep this system's own out of the program.
 */
#include "common/ring_other.c"
#define RING_TEST_UNSEALED
#include "tests/unit/test_ring.c"

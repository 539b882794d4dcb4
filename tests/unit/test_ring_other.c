/*
 * The ring once more over the memory of systems without seals.  Defined here,
 * these functions keep this system's own out of the program.
 */
#include "common/ring_other.c"
#include "tests/unit/test_ring.c"

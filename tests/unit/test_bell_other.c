/*
 * The bell once more as it is where there is no better one.  Defined here,
 * these functions keep this system's own out of the program.
 */
#include "common/bell_other.c"
#define BELL_TEST_FIFO
#include "tests/unit/test_bell.c"

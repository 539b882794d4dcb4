/*
 * Whether a process has done what it was about to: it sleeps, which ours do
 * only where they wait for somebody.
 */
#ifndef QUIRE_TESTS_ASLEEP_H
#define QUIRE_TESTS_ASLEEP_H

/* Returns when each child of the process sleeps; elsewhere than on Linux, at
 * once. */
void asleep_children(long pid);

#endif

/* A descriptor beside one octet, as a keeper passes it. */
#ifndef QUIRE_TESTS_PASS_H
#define QUIRE_TESTS_PASS_H

/* 0, or -1 with errno; the caller keeps fd. */
int pass(int through, int fd);

#endif

/* OpenBSD's declarations, for `make lint-foreign' on another system. */
#ifndef QUIRE_STUB_OPENBSD_UNISTD_H
#define QUIRE_STUB_OPENBSD_UNISTD_H

#include_next <unistd.h>

int pledge(const char *, const char *);
int unveil(const char *, const char *);
/* It returns int there, void in glibc. */
int openbsd_closefrom(int);
#define closefrom openbsd_closefrom

#endif

/* FreeBSD's declarations, for `make lint-foreign' on another system. */
#ifndef QUIRE_STUB_FREEBSD_PROCCTL_H
#define QUIRE_STUB_FREEBSD_PROCCTL_H

#include <sys/wait.h>

#define PROC_TRACE_CTL		 7
#define PROC_TRACE_CTL_DISABLE	 2
#define PROC_NO_NEW_PRIVS_CTL	 19
#define PROC_NO_NEW_PRIVS_ENABLE 1

int procctl(idtype_t, id_t, int, void *);

#endif

/* FreeBSD's declarations, for `make lint-foreign' on another system. */
#ifndef QUIRE_STUB_FREEBSD_CAPSICUM_H
#define QUIRE_STUB_FREEBSD_CAPSICUM_H

#include <stdint.h>

typedef struct cap_rights {
	uint64_t cr_rights[2];
} cap_rights_t;

#define CAP_READ     0x1ULL
#define CAP_WRITE    0x2ULL
#define CAP_FSTAT    0x4ULL
#define CAP_FCNTL    0x8ULL
#define CAP_EVENT    0x10ULL
#define CAP_KQUEUE   0x20ULL
#define CAP_SHUTDOWN 0x40ULL

cap_rights_t *stub_cap_rights_init(cap_rights_t *, ...);
#define cap_rights_init(...) stub_cap_rights_init(__VA_ARGS__, 0ULL)
int cap_rights_limit(int, const cap_rights_t *);
int cap_enter(void);

#endif

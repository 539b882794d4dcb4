/*
 * A store in memory, behind the interface of the one on disk.
 */
#ifndef QUIRE_TESTS_KV_MEM_H
#define QUIRE_TESTS_KV_MEM_H

#include "broker/kv.h"

struct kv *kv_mem_open(void); /* NULL: no memory */

#endif

/* A thread beside the loop, which alone hears signals. */
#ifndef QUIRE_THREAD_H
#define QUIRE_THREAD_H

#include <pthread.h>

/* 0, or an error number. */
int thread_start(pthread_t *, void *(*)(void *), void *);

#endif

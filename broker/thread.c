/* What a thread inherits is what is set while it is made. */
#include <signal.h>

#include "broker/thread.h"

int
thread_start(pthread_t *thread, void *(*work)(void *), void *arg)
{
	sigset_t all, was;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &was);
	error = pthread_create(thread, NULL, work, arg);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return (error);
}

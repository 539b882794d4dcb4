/*
 * What servers cost: CPU, memory and wake-ups of their processes, the load
 * generator apart.  By control group where LOAD_CPU or LOAD_MEMORY name its
 * file (dead processes and the kernel's share are in it then), else by adding
 * up the trees of the processes in LOAD_PIDS.
 */
#ifndef QUIRE_TESTS_LOAD_COST_H
#define QUIRE_TESTS_LOAD_COST_H

double cost_now_s(void); /* monotonic */
double cost_cpu_s(void); /* of all servers, since some time */
double cost_memory_kib(void);
/* Times that a thread of theirs went to sleep and was woken. */
double cost_wakes(void);
double cost_own_cpu_s(void);		/* of this process */
double cost_cpu_of_s(const char *pids); /* of these trees alone */

#endif

/* Memory that a connection needed to begin with, given back to the system. */
#ifndef QUIRE_MEMORY_H
#define QUIRE_MEMORY_H

/* Costs a few microseconds: once, when a connection comes to rest. */
void memory_rest(void);

#endif

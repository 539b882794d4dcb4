/*
 * A power cut for the files of a directory that a broker with tests/preload/
 * disk.c had open: of what was written and not synced, some is there and some
 * is not.  Pages of tables are there or not as a whole; of the log a part may
 * be there up to any octet.
 */
#ifndef QUIRE_TESTS_FORGET_H
#define QUIRE_TESTS_FORGET_H

/* Uses random(); the journal is emptied.  Returns the octets that were lost. */
unsigned long forget(const char *journal, const char *dir);

#endif

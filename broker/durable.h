/* Names of files that outlast a power cut, as octets do after an fsync. */
#ifndef QUIRE_DURABLE_H
#define QUIRE_DURABLE_H

/* The name that a file has just been given: syncs its directory.  0, or -1 with
 * errno. */
int durable_name(const char *path);
/* rename, and then that.  -1: either; the file may have its new name. */
int durable_rename(const char *from, const char *to);

#endif

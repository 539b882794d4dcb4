/* Files that quirectl writes: whole, and on the disk, or not at all. */
#ifndef QUIRE_CTL_FILES_H
#define QUIRE_CTL_FILES_H

#include "common/bytes.h"

/* All of it at that offset.  Both: 0, or -1 and logged. */
int ctl_file_write(int fd, struct bytes, uint64_t offset);
/* Syncs and closes. */
int ctl_file_done(int fd);

#endif

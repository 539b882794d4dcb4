/*
 * A copy of a whole store on its way: from the broker to quirectl, in frames.
 *
 *   'F' length be32, name        a file begins
 *   'D' length be32, offset be64, octets
 *   'E' length be32 (0)          that was all
 *   'X' length be32, reason      it cannot be done
 *
 * What is there is of one moment only once the log in it has been replayed from
 * its beginning (kv_bdb_options.copied).
 */
#ifndef QUIRE_BACKUP_H
#define QUIRE_BACKUP_H

#define BACKUP_HEAD_BYTES 5u
#define BACKUP_NAME_MAX	  255u
/* Octets of a 'D', its offset included. */
#define BACKUP_FRAME_MAX (4u * 1024u * 1024u)

#endif

/*
 * What may be written: not below the floor of free space, not over a store's
 * quota, not into quarantine.  Admins may, so that they can put it right.
 *
 * The floor of free space: writes are refused before the disk is full, so that
 * the log, checkpoints and deletions still have room.  Looked at once a second
 * while there are writes.
 */
#include <sys/statvfs.h>

#include "broker/broker.h"
#include "broker/confine.h"
#include "common/log.h"

int
space_low(struct broker *b)
{
	struct statvfs v;
	time_t now = time(NULL);
	int low;

	if (now == b->space_at)
		return (b->low_space);
	b->space_at = now;
	if (statvfs(CONFINE_DATA, &v) == -1) {
		log_warn("disk");
		return (b->low_space);
	}
	low = (uint64_t)v.f_bavail * v.f_frsize <
	    (uint64_t)b->conf->free_floor_bytes;
	if (low != b->low_space)
		log_warnx("disk: %s free_floor_bytes, writes are %s",
		    low ? "below" : "above", low ? "refused" : "taken again");
	b->low_space = low;
	return (low);
}

enum code
space_refuses(struct broker *b, const struct op *op, const struct txn *t,
    uint64_t more)
{
	uint64_t bytes_max = (uint64_t)op->doc->bounds.bytes;
	uint64_t records_max = (uint64_t)op->doc->bounds.records;

	if (scope_covers(op->session->scope, SCOPE_ADMIN))
		return (CODE_OK);
	if (space_low(b) || t->row.closed != ROW_OPEN)
		return (CODE_STORAGE);
	if ((bytes_max != 0 &&
		(t->row.bytes >= bytes_max ||
		    more > bytes_max - t->row.bytes)) ||
	    (records_max != 0 && t->row.records >= records_max))
		return (CODE_QUOTA);
	return (CODE_OK);
}

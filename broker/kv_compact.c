/* Space given back by the Berkeley DB store. */
#include <errno.h>

#include "broker/kv_bdb.h"

int
bdb_compact(struct kv *kv, enum kv_table t, struct bytes from, struct bytes to)
{
	struct bdb *b = (struct bdb *)kv;
	DBT start = bdb_dbt(from), stop = bdb_dbt(to);
	DB_COMPACT c;
	int error;

	if (bdb_alive(b) == -1)
		return (-1);
	if (b->txn != NULL) {
		errno = EBUSY;
		return (-1);
	}
	memset(&c, 0, sizeof(c));
	error = b->table[t]->compact(b->table[t], NULL, &start, &stop, &c,
	    DB_FREE_SPACE, NULL);
	return (error == 0 ? 0 : bdb_fail(b, "compact", error));
}

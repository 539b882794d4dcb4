/* Messages copied with their bytes, field types as ipc.def has them. */
#include <stdlib.h>

#include "worker/kept.h"

static int kept_copy(struct kept *, const struct ipc_row *);

struct kept *
kept_add(struct kept_list *list, const struct msg *m)
{
	const struct ipc_row *row = ipc_row(m->type);
	struct kept *k;

	if (row == NULL || (k = calloc(1, sizeof(*k))) == NULL)
		return (NULL);
	k->m = *m;
	if (kept_copy(k, row) == -1) {
		free(k);
		return (NULL);
	}
	k->whole = k->m;
	TAILQ_INSERT_TAIL(list, k, entry);
	return (k);
}

void
kept_remove(struct kept_list *list, struct kept *k)
{
	TAILQ_REMOVE(list, k, entry);
	kept_free(k);
}

void
kept_free(struct kept *k)
{
	if (k->whole.type == IPC_LOGIN)
		buf_wipe(&k->own);
	else
		buf_free(&k->own);
	free(k);
}

void
kept_clear(struct kept_list *list)
{
	struct kept *k;

	while ((k = TAILQ_FIRST(list)) != NULL)
		kept_remove(list, k);
}

/* The room is made at once, so that the pointers stay good. */
static int
kept_copy(struct kept *k, const struct ipc_row *row)
{
	struct bytes *b;
	uint8_t *p;
	size_t total = 0;
	unsigned int i;

	for (i = 0; i < row->nfields; i++)
		if (row->field[i].type == IPC_BYTES)
			total += k->m.f[i].b.n;
	if (total == 0)
		return (0);
	if ((p = buf_room(&k->own, total)) == NULL)
		return (-1);
	buf_grow(&k->own, total);
	for (i = 0; i < row->nfields; i++) {
		b = &k->m.f[i].b;
		if (row->field[i].type != IPC_BYTES || b->n == 0)
			continue;
		memcpy(p, b->p, b->n);
		b->p = p;
		p += b->n;
	}
	return (0);
}

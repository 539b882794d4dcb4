/*
 * Short frames, made from what the client itself said.
 */
#include <inttypes.h>

#include "worker/secsync_answer.h"

static void answer_send(struct conn *, struct buf *);

void
secsync_answer_snapshot_saved(struct conn *c, struct bytes id)
{
	struct buf frame = BUF_INIT;

	buf_add_str(&frame, "{\"type\":\"snapshot-saved\",\"snapshotId\":\"");
	buf_add_bytes(&frame, id);
	buf_add_str(&frame, "\"}");
	answer_send(c, &frame);
}

void
secsync_answer_update_saved(struct conn *c, struct bytes id, uint64_t clock)
{
	struct buf frame = BUF_INIT;

	buf_add_str(&frame, "{\"type\":\"update-saved\",\"snapshotId\":\"");
	buf_add_bytes(&frame, id);
	buf_printf(&frame, "\",\"clock\":%" PRIu64 "}", clock);
	answer_send(c, &frame);
}

void
secsync_answer_update_failed(struct conn *c, struct bytes id, uint64_t clock,
    int needs_snapshot)
{
	struct buf frame = BUF_INIT;

	buf_add_str(&frame,
	    "{\"type\":\"update-save-failed\",\"snapshotId\":\"");
	buf_add_bytes(&frame, id);
	buf_printf(&frame,
	    "\",\"clock\":%" PRIu64 ",\"requiresNewSnapshot\":%s}", clock,
	    needs_snapshot ? "true" : "false");
	answer_send(c, &frame);
}

void
secsync_answer_echo(struct conn *c, const struct secsync_message *m)
{
	struct buf frame = BUF_INIT;

	buf_add_str(&frame, "{\"type\":\"update-save-failed\"");
	if (m->echo_id.type != JSON_NONE) {
		buf_add_str(&frame, ",\"snapshotId\":");
		buf_add_bytes(&frame, m->echo_id.text);
	}
	if (m->echo_clock.type != JSON_NONE) {
		buf_add_str(&frame, ",\"clock\":");
		buf_add_bytes(&frame, m->echo_clock.text);
	}
	buf_add_str(&frame, ",\"requiresNewSnapshot\":false}");
	answer_send(c, &frame);
}

static void
answer_send(struct conn *c, struct buf *frame)
{
	if (!frame->failed)
		conn_send(c, WS_TEXT, buf_bytes(frame));
	buf_free(frame);
}

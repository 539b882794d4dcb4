/*
 * The moment at which a worker gives up all that it will not need: its link to
 * the broker stands, its limits are known, and not one octet of its client's
 * has been read.
 */
#include "common/log.h"
#include "worker/conn_internal.h"

#define CONFINE_NAMES_MAX 128
/* A message is held once as it arrives and once as it grows, is taken apart,
 * and waits as an answer; beside it there are buffers and tables. */
#define CONFINE_COPIES 4
/* Ring and bell of a document, and of another that is on its way; a lane,
 * and the client once more, to be passed on; a link to another broker, twice
 * where that one goes as well. */
#define CONFINE_PASSED_FDS 8
#define CONFINE_BASE_BYTES ((uint64_t)64 * 1024 * 1024)

static size_t confine_data_max(const struct settings *);

int
confine(struct conn *c)
{
	struct sandbox_plan plan = *c->plan;
	struct sandbox_report report;
	char names[CONFINE_NAMES_MAX] = "none";
	unsigned int missing;
	int r;

	c->confined = 1;
	/* The stricter of the two: neither can loosen what the other asks. */
	if (c->settings.sandbox < plan.level)
		plan.level = (enum sandbox_level)c->settings.sandbox;
	plan.data_max = confine_data_max(&c->settings);
	plan.passed_fds = CONFINE_PASSED_FDS;
	/* It can open nothing: what this lets it have more is copies. */
	plan.flight_fds = c->settings.fast_lane != 0 ? lane_flight_max() : 0;
	r = sandbox_worker(&plan, c->fd, c->link.fd, c->poller.fd, &report);
	missing = report.wanted & ~report.standing;
	if (missing != 0)
		sandbox_names(names, sizeof(names), missing);
	if (r == -1)
		log_warn("%s: sandbox without %s", c->peer, names);
	else if (missing != 0 && c->plan->inherited == 0)
		sandbox_say(&report); /* a listener has said it for all */
	else
		log_debug("%s: sandbox without %s", c->peer, names);
	return (r);
}

static size_t
confine_data_max(const struct settings *s)
{
	const uint64_t sizes[] = { s->sds_message_max, s->secsync_snapshot_max,
		s->secsync_update_max, s->canvas_message_max,
		s->logseq_message_max, s->echo_message_max, s->body_max };
	uint64_t most = 0;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (sizes[i] > most)
			most = sizes[i];
	most = CONFINE_BASE_BYTES + CONFINE_COPIES * most;
	return (most < SIZE_MAX ? (size_t)most : SIZE_MAX);
}

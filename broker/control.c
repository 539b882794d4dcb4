/*
 * The operator's socket: one line with a command in, text out, closed.  Who
 * may connect was checked by the listener.  What takes long is a job: it says
 * what it has to say when it knows, and its last line is `done' or `error ...'.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"
#include "broker/job.h"
#include "broker/trace.h"
#include "common/log.h"

#define CONTROL_LINE_MAX 4096
#define CONTROL_WAIT_S	 10

static void control_read(struct bufferevent *, void *);
static void control_written(struct bufferevent *, void *);
static void control_event(struct bufferevent *, short, void *);
static void control_status(struct broker *, struct evbuffer *);

static control_job control_log_level;

static const struct command {
	const char *name;
	void (*run)(struct broker *, struct evbuffer *);
	control_job *job; /* takes the connection over; NULL: run instead */
} commands[] = {
	{ "status", control_status, NULL },
	{ "stores", NULL, control_stores },
	{ "verify", NULL, control_verify },
	{ "compact", NULL, control_compact },
	{ "backup", NULL, control_backup },
	{ "quarantine", NULL, control_quarantine },
	{ "export", NULL, control_export },
	{ "import", NULL, control_import },
	{ "delete", NULL, control_delete },
	{ "connections", NULL, control_connections },
	{ "kick", NULL, control_kick },
	{ "log-level", NULL, control_log_level },
	{ "trace", NULL, control_trace },
	{ "revoke", NULL, control_revoke },
	{ "reload", NULL, control_reload },
	{ "forgive", NULL, control_forgive },
	{ "revocations", NULL, control_revocations },
	{ "metrics", NULL, control_metrics },
};

static const struct command *control_find(const char *, const char **words);

void
control_accepted(void *arg, int fd)
{
	struct broker *b = arg;
	const struct timeval wait = { CONTROL_WAIT_S, 0 };
	struct bufferevent *bev;

	if ((bev = bufferevent_socket_new(b->base, fd,
		 BEV_OPT_CLOSE_ON_FREE)) == NULL) {
		close(fd);
		return;
	}
	bufferevent_setcb(bev, control_read, NULL, control_event, b);
	bufferevent_set_timeouts(bev, &wait, &wait);
	bufferevent_set_max_single_read(bev, CONTROL_LINE_MAX);
	if (bufferevent_enable(bev, EV_READ) == -1)
		bufferevent_free(bev);
}

static void
control_read(struct bufferevent *bev, void *arg)
{
	struct broker *b = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer *out = bufferevent_get_output(bev);
	const struct command *command;
	const char *words;
	char *line;

	if ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_LF)) == NULL) {
		if (evbuffer_get_length(in) >= CONTROL_LINE_MAX)
			bufferevent_free(bev);
		return;
	}
	bufferevent_disable(bev, EV_READ);
	command = control_find(line, &words);
	if (command != NULL && command->job != NULL) {
		command->job(b, bev, words);
		free(line);
		return;
	}
	if (command != NULL)
		command->run(b, out);
	else
		evbuffer_add_printf(out, "error unknown command\n");
	free(line);
	control_answered(bev);
}

void
control_refuse(struct bufferevent *bev, const char *why)
{
	evbuffer_add_printf(bufferevent_get_output(bev), "error %s\n", why);
	control_answered(bev);
}

void
control_answered(struct bufferevent *bev)
{
	bufferevent_setcb(bev, NULL, control_written, control_event, NULL);
	control_send(bev);
}

/* An empty answer is never written: no stores.  Nor is one for whose event
 * there is no memory: who waits for it had better hear of the end. */
void
control_send(struct bufferevent *bev)
{
	if (evbuffer_get_length(bufferevent_get_output(bev)) == 0 ||
	    bufferevent_enable(bev, EV_WRITE) == -1)
		bufferevent_free(bev);
}

/* Words may follow a command that is a job. */
static const struct command *
control_find(const char *line, const char **words)
{
	size_t i, n = strcspn(line, " ");

	*words = line + n + (line[n] == ' ');
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strlen(commands[i].name) == n &&
		    memcmp(line, commands[i].name, n) == 0 &&
		    (line[n] == '\0' || commands[i].job != NULL))
			return (&commands[i]);
	return (NULL);
}

static void
control_written(struct bufferevent *bev, void *arg)
{
	(void)arg;
	bufferevent_free(bev);
}

static void
control_event(struct bufferevent *bev, short what, void *arg)
{
	(void)what;
	(void)arg;
	bufferevent_free(bev);
}

static void
control_status(struct broker *b, struct evbuffer *out)
{
	struct kv_bdb_stat st;
	struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "pid", (uint64_t)getpid() },
		{ "sessions", b->nsessions },
		{ "sessions_total", b->count.sessions_total },
		{ "documents_open", b->ndocs },
		{ "operations", b->count.ops },
		{ "operations_refused", b->count.refused },
		{ "batches", b->count.batches },
		{ "batches_failed", b->count.failed_batches },
		{ "flushes", b->count.flushes },
		{ "frames", b->count.frames },
		{ "frame_bytes", b->count.frame_bytes },
		{ "lanes", b->count.lanes },
		{ "signal_blob_bytes", b->signal_blob_bytes },
		{ "log_bytes", 0 },
		{ "data_bytes", 0 },
		{ "checkpoints", 0 },
		{ "last_backup", 0 },
	};
	size_t i, n = sizeof(rows) / sizeof(rows[0]);

	kv_bdb_stat(b->kv, &st);
	rows[n - 4].value = st.log_bytes;
	rows[n - 3].value = st.data_bytes;
	rows[n - 2].value = st.checkpoints;
	rows[n - 1].value = st.backup_s;
	evbuffer_add_printf(out, "version %s\n", QUIRE_VERSION);
	for (i = 0; i < n; i++)
		evbuffer_add_printf(out, "%s %" PRIu64 "\n", rows[i].name,
		    rows[i].value);
}

static void
control_log_level(struct broker *b, struct bufferevent *bev, const char *word)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	int level = log_level_parse(word);

	if (*word != '\0' && level == -1) {
		control_refuse(bev, "error, warn, info or debug");
		return;
	}
	if (level != -1)
		log_level_set((enum log_level)level);
	trace_watch_all(b);
	evbuffer_add_printf(bufferevent_get_output(bev), "%s\ndone\n",
	    names[log_level_get()]);
	control_answered(bev);
}

/*
 * A listener asks the broker, once at its start, for the settings that are its
 * own: how many connections, and whose word on addresses is taken.
 */
#include <poll.h>

#include "common/limits.h"
#include "worker/conn_internal.h"
#include "worker/listen.h"

#define LISTEN_ASK_MS 2000

static int ask_answer(struct chan *, struct settings *);

int
listen_ask(const char *broker, struct settings *settings)
{
	struct msg hello = MSG(HELLO), bye = MSG(BYE);
	struct chan chan;
	int fd, r = -1;

	if ((fd = chan_connect(broker)) == -1)
		return (-1);
	chan_init(&chan, fd, IPC_FROM_BROKER, 0);
	hello.f[hello_version].u = IPC_VERSION;
	hello.f[hello_peer].b = BYTES_LIT("listener");
	hello.f[hello_kind].u = HELLO_LISTENER;
	if (chan_send(&chan, &hello) == 0 && chan_flush(&chan) == 0 &&
	    (r = ask_answer(&chan, settings)) == 0 &&
	    chan_send(&chan, &bye) == 0)
		(void)chan_flush(&chan);
	chan_close(&chan);
	return (r);
}

static int
ask_answer(struct chan *chan, struct settings *settings)
{
	struct pollfd p = { .fd = chan->fd, .events = POLLIN };
	struct msg m;

	while (poll(&p, 1, LISTEN_ASK_MS) == 1) {
		if (chan_read(chan) == -1)
			return (-1);
		switch (chan_next(chan, &m)) {
		case 0:
			continue;
		case 1:
			return (m.type != IPC_WELCOME
				? -1
				: settings_parse(settings,
				      m.f[welcome_settings].b));
		default:
			return (-1);
		}
	}
	return (-1);
}

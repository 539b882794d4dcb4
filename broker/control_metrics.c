/* `metrics': the figures, as text for Prometheus. */
#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "broker/control.h"

void
control_metrics(struct broker *b, struct bufferevent *bev, const char *words)
{
	struct buf text = BUF_INIT;

	(void)words;
	metrics_text(b, &text);
	if (text.failed) {
		buf_free(&text);
		control_refuse(bev, "no memory");
		return;
	}
	evbuffer_add(bufferevent_get_output(bev), buf_bytes(&text).p, text.len);
	buf_free(&text);
	control_answered(bev);
}

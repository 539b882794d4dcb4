/* ws://host:port/target; TLS is a proxy's work. */
#ifndef QUIRE_CTL_URL_H
#define QUIRE_CTL_URL_H

struct ctl_url {
	char host[256];
	char port[6];
	const char *target; /* points into the text; may lack its '/' */
};

/* NULL, or what is wrong with it. */
const char *ctl_url_parse(struct ctl_url *, const char *text);

#endif

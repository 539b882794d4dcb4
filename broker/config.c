/*
 * quired's settings: the table made of config.def, and the few rules that no
 * single row can state.  Reading lines is common/conf.c.
 */
#include <arpa/inet.h>

#include <stdlib.h>

#include "common/log.h"
#include "broker/bounds.h"
#include "broker/config.h"
#include "broker/web.h"

static int config_start(struct conf *, struct config **, conf_report_fn *,
    void *);
static int config_end(struct conf *, struct config *, struct config **);
static void config_check(struct conf *, const struct config *);
static void config_check_prefix(struct conf *, const char *, const char *,
    bool);
static void config_check_chroot(struct conf *, const struct config *);
static void config_check_root(struct conf *, const struct config *);
static void config_check_oidc(struct conf *, const struct config *);
static void config_check_url(struct conf *, const char *, const char *, bool);
static void config_check_metrics(struct conf *, const char *);
static void config_check_extra(struct conf *, const char *);
static void config_check_network(struct conf *, const char *);
static void config_report(void *, const char *);

static const char *const config_sandbox[] = { "require", "best-effort", "off",
	NULL };
static const char *const config_root[] = { "none", "secsync", "canvas", NULL };
static const char *const config_log[] = { "stderr", "syslog", NULL };
static const char *const config_log_level[] = { "error", "warn", "info",
	"debug", NULL };

/* Paths that other dialects own: a prefix must not stand before them. */
static const char *const config_owned[] = { "/ws/", "/signal/", "/api/",
	"/health", "/graphs", "/sync/", "/assets/", "/e2ee/", "/echo" };

#define K(n) (INT64_C(n) << 10)
#define M(n) (INT64_C(n) << 20)
#define G(n) (INT64_C(n) << 30)
#define ROW_OF(name, type, min, max, words, value, help, check)                \
	{ #name, type, offsetof(struct config, name), min, max, words, value,  \
		help, check },
#define ROW(name, type, min, max, words, value, help)                          \
	ROW_OF(name, type, min, max, words, value, help, NULL)
#define BOOL(name, value, help) ROW(name, CONF_BOOL, 0, 1, NULL, value, help)
#define NUMBER(name, min, max, value, help)                                    \
	ROW(name, CONF_NUMBER, min, max, NULL, value, help)
#define SIZE(name, min, max, value, help)                                      \
	ROW(name, CONF_SIZE, min, max, NULL, value, help)
#define TIME_MS(name, min, max, value, help)                                   \
	ROW(name, CONF_TIME_MS, min, max, NULL, value, help)
#define TIME_S(name, min, max, value, help)                                    \
	ROW(name, CONF_TIME_S, min, max, NULL, value, help)
#define STRING(name, min, max, value, help)                                    \
	ROW(name, CONF_STRING, min, max, NULL, value, help)
#define PATH(name, min, max, value, help)                                      \
	ROW(name, CONF_PATH, min, max, NULL, value, help)
#define ENUM(name, words, value, help)                                         \
	ROW(name, CONF_ENUM, 0, 0, words, value, help)
#define LIST(name, max, help) ROW(name, CONF_LIST, 1, max, NULL, "", help)
#define LIST_OF(name, max, check, help)                                        \
	ROW_OF(name, CONF_LIST, 1, max, NULL, "", help, check)

const struct conf_row config_rows[] = {
#include "broker/config.def"
};

const size_t config_row_count = sizeof(config_rows) / sizeof(config_rows[0]);

int
config_load(const char *path, struct config **out)
{
	return (config_load_with(path, NULL, 0, out));
}

int
config_load_with(const char *path, char *const *defines, size_t n,
    struct config **out)
{
	struct config *config;
	struct conf c;
	size_t i;

	if (config_start(&c, &config, config_report, NULL) == -1)
		return (-1);
	if (path != NULL)
		conf_file(&c, path);
	for (i = 0; i < n; i++)
		conf_define(&c, defines[i]);
	return (config_end(&c, config, out));
}

int
config_load_fd(int fd, char *const *defines, size_t n, struct config **out)
{
	const struct config_source from = { "quire.conf", fd, defines, n };

	return (config_load_from(&from, config_report, NULL, out));
}

int
config_load_from(const struct config_source *from, conf_report_fn *report,
    void *arg, struct config **out)
{
	struct config *config;
	struct conf c;
	size_t i;

	if (config_start(&c, &config, report, arg) == -1)
		return (-1);
	if (from->fd != -1)
		conf_fd(&c, from->name, from->fd);
	for (i = 0; i < from->n; i++)
		conf_define(&c, from->defines[i]);
	return (config_end(&c, config, out));
}

int
config_parse(struct bytes text, conf_report_fn *report, void *arg,
    struct config **out)
{
	struct config *config;
	struct conf c;

	if (config_start(&c, &config, report, arg) == -1)
		return (-1);
	conf_text(&c, "config", text);
	return (config_end(&c, config, out));
}

void
config_free(struct config *config)
{
	if (config == NULL)
		return;
	conf_free(config_rows, config_row_count, config);
	free(config);
}

void
config_print(const struct config *config, FILE *fp)
{
	conf_print(config_rows, config_row_count, config, fp);
}

static int
config_start(struct conf *c, struct config **config, conf_report_fn *report,
    void *arg)
{
	if ((*config = calloc(1, sizeof(**config))) == NULL)
		return (-1);
	if (conf_open(c, config_rows, config_row_count, *config, report, arg) ==
	    0)
		return (0);
	free(*config);
	return (-1);
}

static int
config_end(struct conf *c, struct config *config, struct config **out)
{
	if (c->errors == 0)
		config_check(c, config);
	conf_close(c);
	if (c->errors != 0) {
		config_free(config);
		return (-1);
	}
	*out = config;
	return (0);
}

static void
config_report(void *arg, const char *text)
{
	(void)arg;
	log_warnx("%s", text);
}

static void
config_check(struct conf *c, const struct config *config)
{
	size_t i;

	config_check_prefix(c, "secsync_prefix", config->secsync_prefix, true);
	config_check_prefix(c, "canvas_prefix", config->canvas_prefix, false);
	if (strncmp(config->canvas_prefix, config->secsync_prefix,
		strlen(config->secsync_prefix)) == 0)
		conf_error(c, "canvas_prefix", config->canvas_prefix,
		    "is below secsync_prefix");
	config_check_root(c, config);
	config_check_chroot(c, config);
	config_check_oidc(c, config);
	if (config->metrics[0] != '\0')
		config_check_metrics(c, config->metrics);
	if ((config->ring_bytes & (config->ring_bytes - 1)) != 0)
		conf_error(c, "ring_bytes", NULL, "is not a power of two");
	if (config->public_url[0] != '\0')
		config_check_url(c, "public_url", config->public_url, true);
	for (i = 0; i < config->origin.n; i++)
		config_check_url(c, "origin", config->origin.v[i], false);
	for (i = 0; i < config->proxy.n; i++)
		config_check_network(c, config->proxy.v[i]);
	for (i = 0; i < config->secsync_extra.n; i++)
		config_check_extra(c, config->secsync_extra.v[i]);
}

static void
config_check_metrics(struct conf *c, const char *text)
{
	struct sockaddr_storage ss;
	int len;

	if (web_address(text, &ss, &len) == -1)
		conf_error(c, "metrics", text, "is not ADDRESS:PORT");
}

/* `name type octets'; the protocol's own members are not to be redefined. */
static void
config_check_extra(struct conf *c, const char *text)
{
	static const char *const words[] = { "string", "number", "boolean",
		"array", "object" };
	static const char *const taken =
	    " docId pubKey snapshotId parentSnapshotId parentSnapshotProof"
	    " parentSnapshotUpdateClocks refSnapshotId clock ";
	char name[256], type[256], whole[259];
	unsigned long octets;
	size_t i;
	int n = -1;

	/* NOLINTNEXTLINE(cert-err34-c): five digits fit */
	if (sscanf(text, "%255s %255s %5lu%n", name, type, &octets, &n) != 3 ||
	    text[n] != '\0' || octets == 0 || octets > 65536) {
		conf_error(c, "secsync_extra", text,
		    "is not a name, a type and 1 to 65536");
		return;
	}
	snprintf(whole, sizeof(whole), " %s ", name);
	if (strpbrk(name, "\"\\") != NULL || strstr(taken, whole) != NULL)
		conf_error(c, "secsync_extra", text, "has no name of its own");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(type, words[i]) == 0)
			return;
	conf_error(c, "secsync_extra", text, "has no known type");
}

/* folder: documents follow, so it ends in a slash; otherwise it does not. */
static void
config_check_prefix(struct conf *c, const char *name, const char *prefix,
    bool folder)
{
	size_t i, n = strlen(prefix);

	if (prefix[0] != '/' || strstr(prefix, "//") != NULL ||
	    strstr(prefix, "/.") != NULL || strpbrk(prefix, "?#% \\") != NULL)
		conf_error(c, name, prefix, "is not a plain path");
	else if (n < 2)
		conf_error(c, name, prefix,
		    "would cover every path: see the setting root");
	else if ((prefix[n - 1] == '/') != folder)
		conf_error(c, name, prefix,
		    folder ? "does not end in a slash" : "ends in a slash");
	for (i = 0; i < sizeof(config_owned) / sizeof(config_owned[0]); i++)
		if (strncmp(prefix, config_owned[i], strlen(config_owned[i])) ==
		    0)
			conf_error(c, name, prefix,
			    "belongs to another dialect");
}

static void
config_check_root(struct conf *c, const struct config *config)
{
	if ((config->root == ROOT_SECSYNC && !config->secsync) ||
	    (config->root == ROOT_CANVAS && !config->canvas))
		conf_error(c, "root", config_root[config->root],
		    "is switched off");
}

/* The data directory is all that the broker needs below its root. */
static void
config_check_chroot(struct conf *c, const struct config *config)
{
	size_t n = strlen(config->chroot);

	if (n == 0)
		return;
	if (config->chroot[0] != '/')
		conf_error(c, "chroot", config->chroot, "is not absolute");
	else if (config->chroot[n - 1] == '/')
		conf_error(c, "chroot", config->chroot, "ends in a slash");
	else if (strncmp(config->data, config->chroot, n) != 0 ||
	    (config->data[n] != '/' && config->data[n] != '\0'))
		conf_error(c, "chroot", config->chroot,
		    "does not hold the data directory");
}

/* Its keys sign for all the world: without these a token says nothing. */
static void
config_check_oidc(struct conf *c, const struct config *config)
{
	if (config->oidc_jwks[0] == '\0')
		return;
	if (config->oidc_issuer[0] == '\0')
		conf_error(c, "oidc_issuer", NULL, "is needed by oidc_jwks");
	if (config->oidc_audience.n == 0)
		conf_error(c, "oidc_audience", NULL, "is needed by oidc_jwks");
}

/* scheme://host, with a path only where one makes sense. */
static void
config_check_url(struct conf *c, const char *name, const char *url, bool path)
{
	const char *host = strstr(url, "://");

	if (!path && strcmp(url, "null") == 0)
		return;
	if (host == NULL || host == url || host[3] == '\0' || host[3] == '/' ||
	    strpbrk(url, " ?#") != NULL)
		conf_error(c, name, url, "is not scheme://host");
	else if (path && strncmp(url, "http://", 7) != 0 &&
	    strncmp(url, "https://", 8) != 0)
		conf_error(c, name, url, "is neither http nor https");
	else if (!path && strchr(host + 3, '/') != NULL)
		conf_error(c, name, url, "has a path");
}

/* An IPv4 or IPv6 address, with a slash and a number of bits or without. */
static void
config_check_network(struct conf *c, const char *network)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(network, '/');
	size_t n = slash == NULL ? strlen(network) : (size_t)(slash - network);
	struct in6_addr address;
	long bits, most;
	char *end;

	if (n >= sizeof(host)) {
		conf_error(c, "proxy", network, "is not an address");
		return;
	}
	memcpy(host, network, n);
	host[n] = '\0';
	if (inet_pton(AF_INET, host, &address) == 1)
		most = 32;
	else if (inet_pton(AF_INET6, host, &address) == 1)
		most = 128;
	else {
		conf_error(c, "proxy", network, "is not an address");
		return;
	}
	if (slash == NULL)
		return;
	bits = strtol(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > most)
		conf_error(c, "proxy", network, "has no such network size");
}

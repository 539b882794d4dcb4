/*
 * quired's settings: the table made of config.def, and the few rules that no
 * single row can state.  Reading lines is common/conf.c.
 */
#include <stdlib.h>

#include "common/log.h"
#include "broker/bounds.h"
#include "broker/config.h"
#include "broker/config_value.h"

static int config_start(struct conf *, struct config **, conf_report_fn *,
    void *);
static int config_end(struct conf *, struct config *, struct config **);
static void config_check(struct conf *, const struct config *);
static void config_check_chroot(struct conf *, const struct config *);
static void config_check_root(struct conf *, const struct config *);
static void config_check_oidc(struct conf *, const struct config *);
static void config_report(void *, const char *);

static const char *const config_sandbox[] = { "require", "best-effort", "off",
	NULL };
static const char *const config_root[] = { "none", "secsync", "canvas", NULL };
static const char *const config_log[] = { "stderr", "syslog", NULL };
static const char *const config_log_level[] = { "error", "warn", "info",
	"debug", NULL };

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
#define STRING_OF(name, min, max, value, check, help)                          \
	ROW_OF(name, CONF_STRING, min, max, NULL, value, help, check)
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
	if (strncmp(config->canvas_prefix, config->secsync_prefix,
		strlen(config->secsync_prefix)) == 0)
		conf_error(c, "canvas_prefix", config->canvas_prefix,
		    "is below secsync_prefix");
	config_check_root(c, config);
	config_check_chroot(c, config);
	config_check_oidc(c, config);
	if ((config->ring_bytes & (config->ring_bytes - 1)) != 0)
		conf_error(c, "ring_bytes", NULL, "is not a power of two");
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

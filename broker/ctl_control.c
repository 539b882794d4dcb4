/*
 * quirectl status, stores and connections: one line to the control socket, and
 * the answer as it comes, as a table or as JSON.
 *
 *	status		`name value' a line, and so metrics
 *	stores		the cells of ctl_store_columns a line, then `done'
 *	connections	those of ctl_connection_columns
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "common/log.h"
#include "broker/config.h"
#include "broker/ctl.h"
#include "broker/ctl_answer.h"
#include "broker/doc_name.h"
#include "common/dialects.h"

static int ctl_store(const struct ctl *, const char *store, int as_json);
static int ctl_control(const struct ctl *, const char *command, int as_json);
static int ctl_status_json(struct bytes);
static int ctl_only_json(int, char **);

static const struct ctl_column ctl_store_columns[] = {
	{ "dialect", CTL_WORD },
	{ "room", CTL_WORD },
	{ "seq", CTL_WORD },
	{ "sessions", CTL_WORD },
	{ "records", CTL_WORD },
	{ "oldest", CTL_WORD },
	{ "bytes", CTL_WORD },
	{ "fresh", CTL_WORD },
#define BOUND(name, store, subject) { #name "_max", CTL_WORD },
#include "broker/bounds.def"
#undef BOUND
	{ "name", CTL_QUOTED },
};

static const struct ctl_column ctl_connection_columns[] = {
	{ "id", CTL_WORD },
	{ "dialect", CTL_WORD },
	{ "scope", CTL_WORD },
	{ "lane", CTL_WORD },
	{ "since", CTL_SINCE },
	{ "address", CTL_QUOTED },
	{ "subject", CTL_QUOTED },
	{ "store", CTL_QUOTED },
};

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

int
ctl_status(const struct ctl *ctl, int argc, char **argv)
{
	int as_json = ctl_only_json(argc, argv);

	return (as_json == -1 ? ctl_usage(argv[0])
			      : ctl_control(ctl, argv[0], as_json));
}

int
ctl_stores(const struct ctl *ctl, int argc, char **argv)
{
	int c, as_json = 0;

	while ((c = getopt(argc, argv, "+j")) != -1) {
		if (c != 'j')
			return (ctl_usage(argv[0]));
		as_json = 1;
	}
	if (argc - optind > 1)
		return (ctl_usage(argv[0]));
	if (argc - optind == 1)
		return (ctl_store(ctl, argv[optind], as_json));
	if (!as_json)
		return (ctl_control(ctl, argv[0], 0));
	return (ctl_list(ctl, argv[0], 1, COLUMNS(ctl_store_columns)));
}

/* The one of that name: what its line begins and ends with. */
static int
ctl_store(const struct ctl *ctl, const char *store, int as_json)
{
	struct buf mem = BUF_INIT;
	struct doc_id id;
	char name[256], begin[64], end[sizeof(name) + 4];
	int status = EX_DATAERR;

	if (doc_name_parse(bytes_str(store), &mem, &id) == 0) {
		snprintf(begin, sizeof(begin), "%s %u ",
		    dialect_name(id.dialect), id.room);
		snprintf(end, sizeof(end), " \"%s\"",
		    log_quote(name, sizeof(name), id.name));
		status = ctl_list_some(ctl, "stores", as_json,
		    COLUMNS(ctl_store_columns), bytes_str(begin),
		    bytes_str(end));
	} else
		log_warnx("%s: no such name", store);
	buf_free(&mem);
	return (status);
}

int
ctl_connections(const struct ctl *ctl, int argc, char **argv)
{
	int as_json = ctl_only_json(argc, argv);

	if (as_json == -1)
		return (ctl_usage(argv[0]));
	return (
	    ctl_list(ctl, argv[0], as_json, COLUMNS(ctl_connection_columns)));
}

/* How it ended: 1 when nothing was there to be ended. */
int
ctl_kick(const struct ctl *ctl, int argc, char **argv)
{
	struct buf answer = BUF_INIT, line = BUF_INIT;
	struct config *config;
	int status;

	if (argc != 3)
		return (ctl_usage(argv[0]));
	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	if (buf_printf(&line, "kick %s %s", argv[1], argv[2]) == -1 ||
	    buf_add_u8(&line, '\0') == -1)
		status = EX_OSERR;
	else
		status = ctl_ask(config->control,
		    (const char *)buf_bytes(&line).p, &answer);
	if (status == 0) {
		struct bytes text = buf_bytes(&answer), n;

		n = ctl_word(&text, '\n');
		printf("%.*s\n", (int)n.n, (const char *)n.p);
		status = bytes_eq(n, BYTES_LIT("0"));
	}
	buf_free(&line);
	buf_free(&answer);
	config_free(config);
	return (status);
}

static int
ctl_control(const struct ctl *ctl, const char *command, int as_json)
{
	struct buf answer = BUF_INIT;
	struct config *config;
	int status;

	if ((config = ctl_config(ctl)) == NULL)
		return (EX_CONFIG);
	status = ctl_ask(config->control, command, &answer);
	if (status == 0 && as_json)
		status = ctl_status_json(buf_bytes(&answer));
	else if (status == 0)
		fwrite(buf_bytes(&answer).p, 1, answer.len, stdout);
	if (status == 0 && fflush(stdout) == EOF) {
		log_warn("standard output");
		status = EX_IOERR;
	}
	buf_free(&answer);
	config_free(config);
	return (status);
}

static int
ctl_status_json(struct bytes text)
{
	json_t *object = json_object();
	struct bytes line, name;
	int status = EX_DATAERR;

	while (object != NULL && text.n > 0) {
		line = ctl_word(&text, '\n');
		name = ctl_word(&line, ' ');
		if (bytes_eq(name, BYTES_LIT("#"))) /* a word on a metric */
			continue;
		if (name.n == 0 ||
		    json_object_setn_new(object, (const char *)name.p, name.n,
			ctl_value(line)) == -1) {
			log_warnx("the broker's answer is not understood");
			goto out;
		}
	}
	if (json_dumpf(object, stdout, JSON_INDENT(2)) == 0) {
		putchar('\n');
		status = 0;
	}
out:
	json_decref(object);
	return (status);
}

/* 1: -j was given; 0: nothing was; -1: something else. */
static int
ctl_only_json(int argc, char **argv)
{
	if (argc == 1)
		return (0);
	return (argc == 2 && strcmp(argv[1], "-j") == 0 ? 1 : -1);
}

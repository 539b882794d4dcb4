/*
 * The settings' reader, with a small table of its own, and quired's table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "broker/config.h"
#include "tests/lib/said.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

struct small {
	bool flag;
	int64_t number;
	int64_t size;
	int64_t wait_ms;
	int64_t skew;
	char *text;
	char *path;
	int colour;
	struct conf_list list;
};

static const char *const colours[] = { "red", "green", NULL };

#define ROW(name, type, min, max, words, value)                                \
	{                                                                      \
#name, type, offsetof(struct small, name), min, max, words,    \
		    value, "", NULL                                            \
	}

static const struct conf_row rows[] = {
	ROW(flag, CONF_BOOL, 0, 1, NULL, "no"),
	ROW(number, CONF_NUMBER, 3, 3000, NULL, "10"),
	ROW(size, CONF_SIZE, 0, INT64_MAX, NULL, "1M"),
	ROW(wait_ms, CONF_TIME_MS, 1, 86400000, NULL, "10s"),
	ROW(skew, CONF_TIME_S, 0, 3600, NULL, "0"),
	ROW(text, CONF_STRING, 0, 8, NULL, "abc"),
	ROW(path, CONF_PATH, 1, 20, NULL, "/tmp"),
	ROW(colour, CONF_ENUM, 0, 0, colours, "green"),
	ROW(list, CONF_LIST, 1, 8, NULL, ""),
};

static void
start(struct conf *c, struct small *s)
{
	memset(s, 0, sizeof(*s));
	said[0] = '\0';
	assert_int_equal(conf_open(c, rows, LEN(rows), s, say, NULL), 0);
}

static void
stop(struct conf *c, struct small *s)
{
	conf_close(c);
	conf_free(rows, LEN(rows), s);
	assert_null(s->text);
	assert_null(s->list.v);
}

static void
rows_without_a_line_have_their_default(void **state)
{
	struct small s;
	struct conf c;

	(void)state;
	start(&c, &s);
	assert_string_equal(said, "");
	assert_false(s.flag);
	assert_true(s.number == 10 && s.size == 1 << 20 && s.skew == 0);
	assert_true(s.wait_ms == 10000);
	assert_string_equal(s.text, "abc");
	assert_string_equal(s.path, "/tmp");
	assert_int_equal(s.colour, 1);
	assert_int_equal(s.list.n, 0);
	stop(&c, &s);
}

static void
every_type_is_read_from_lines(void **state)
{
	struct small s;
	struct conf c;

	(void)state;
	start(&c, &s);
	assert_int_equal(conf_text(&c, "f",
			     BYTES_LIT("# all of them\r\n"
				       "flag yes\n"
				       "\t number\t7 # seven\n\n"
				       "size 3G\n"
				       "wait_ms 2m\n"
				       "skew 5m\r\n"
				       "text a b#c\n"
				       "path /a b\n"
				       "colour red\n"
				       "list one\n"
				       "list two")),
	    0);
	assert_string_equal(said, "");
	assert_true(s.flag);
	assert_true(s.number == 7 && s.size == INT64_C(3) << 30);
	assert_true(s.wait_ms == 120000 && s.skew == 300);
	assert_string_equal(s.text, "a b#c");
	assert_string_equal(s.path, "/a b");
	assert_int_equal(s.colour, 0);
	assert_int_equal(s.list.n, 2);
	assert_string_equal(s.list.v[1], "two");
	stop(&c, &s);
}

static void
units_belong_to_their_types(void **state)
{
	static const struct {
		const char *line;
		int64_t ms; /* wait_ms after it, or -1 */
	} times[] = { { "wait_ms 5", 5 }, { "wait_ms 5ms", 5 },
		{ "wait_ms 5s", 5000 }, { "wait_ms 2h", 7200000 },
		{ "wait_ms 1d", 86400000 }, { "wait_ms 5K", -1 },
		{ "wait_ms 5 s", -1 }, { "wait_ms 5S", -1 },
		{ "wait_ms 5sm", -1 }, { "wait_ms s", -1 } };
	struct small s;
	struct conf c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(times); i++) {
		start(&c, &s);
		conf_text(&c, "f", bytes_str(times[i].line));
		if ((said[0] == '\0' ? s.wait_ms : -1) != times[i].ms)
			fail_msg("%s", times[i].line);
		stop(&c, &s);
	}
}

static void
an_error_names_file_line_word_and_reason(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "flog yes", "f:1: \"flog\": there is no such setting\n" },
		{ "\n\nflag", "f:3: \"flag\": has no value\n" },
		{ "flag # on", "f:1: \"flag\": has no value\n" },
		{ "flag on", "f:1: \"on\": is neither yes nor no\n" },
		{ "flag Yes", "f:1: \"Yes\": is neither yes nor no\n" },
		{ "flag yes no", "f:1: \"yes no\": is neither yes nor no\n" },
		{ "flag no\nflag no", "f:2: \"flag\": is set a second time\n" },
		{ "number 2", "f:1: \"2\": is out of range\n" },
		{ "number 3001", "f:1: \"3001\": is out of range\n" },
		{ "number -5", "f:1: \"-5\": is not a number in range\n" },
		{ "number +5", "f:1: \"+5\": is not a number in range\n" },
		{ "number 0x5",
		    "f:1: \"0x5\": does not end in a unit of this "
		    "setting\n" },
		{ "number 5K",
		    "f:1: \"5K\": does not end in a unit of this "
		    "setting\n" },
		{ "size 99999999999999999999",
		    "f:1: \"99999999999999999999\": is not a number in "
		    "range\n" },
		{ "size 9000000000G",
		    "f:1: \"9000000000G\": is out of range\n" },
		{ "text 123456789", "f:1: \"123456789\": is too long\n" },
		{ "path a", "f:1: \"a\": is not an absolute path\n" },
		{ "path \"\"", "f:1: \"path\": is too short\n" },
		{ "colour blue",
		    "f:1: \"blue\": is not one of the words of "
		    "this setting\n" },
		{ "list \"\"", "f:1: \"list\": has no value\n" },
		{ "text a\x01",
		    "f:1: \"a\\x01\": contains a control "
		    "character\n" },
		{ "x\ny",
		    "f:1: \"x\": there is no such setting\n"
		    "f:2: \"y\": there is no such setting\n" },
	};
	struct small s;
	struct conf c;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		start(&c, &s);
		assert_int_equal(conf_text(&c, "f", bytes_str(bad[i].text)),
		    -1);
		assert_string_equal(said, bad[i].says);
		stop(&c, &s);
	}
}

static void
a_nul_or_an_endless_line_is_an_error(void **state)
{
	static char text[CONF_LINE_MAX + 2];
	struct small s;
	struct conf c;

	(void)state;
	start(&c, &s);
	assert_int_equal(conf_text(&c, "f", BYTES_LIT("text a\0b\n")), -1);
	stop(&c, &s);
	start(&c, &s);
	memset(text, ' ', sizeof(text));
	assert_int_equal(conf_text(&c, "f", bytes_of(text, CONF_LINE_MAX)), 0);
	assert_int_equal(conf_text(&c, "f", bytes_of(text, CONF_LINE_MAX + 1)),
	    -1);
	assert_non_null(strstr(said, "the line is too long"));
	stop(&c, &s);
}

static void
a_define_replaces_the_file_and_adds_to_lists(void **state)
{
	struct small s;
	struct conf c;

	(void)state;
	start(&c, &s);
	assert_int_equal(conf_text(&c, "f",
			     BYTES_LIT("number 5\nlist a\ntext x\n")),
	    0);
	assert_int_equal(conf_define(&c, "number=6"), 0);
	assert_int_equal(conf_define(&c, "number=8"), 0);
	assert_int_equal(conf_define(&c, "list=b"), 0);
	assert_int_equal(conf_define(&c, "text="), 0);
	assert_true(s.number == 8);
	assert_int_equal(s.list.n, 2);
	assert_string_equal(s.text, "");
	assert_int_equal(conf_define(&c, "number"), -1);
	assert_int_equal(conf_define(&c, "number="), -1);
	assert_int_equal(conf_define(&c, "nomber=1"), -1);
	assert_int_equal(conf_define(&c, "text=a #b"), -1);
	assert_string_equal(said,
	    "-D: \"number\": is not name=value\n"
	    "-D: \"number\": is not a number in range\n"
	    "-D: \"nomber\": there is no such setting\n"
	    "-D: \"a #b\": contains a comment\n");
	stop(&c, &s);
}

static void
a_list_has_an_end(void **state)
{
	struct small s;
	struct conf c;
	size_t i;

	(void)state;
	start(&c, &s);
	for (i = 0; i < CONF_LIST_MAX; i++)
		assert_int_equal(conf_define(&c, "list=x"), 0);
	assert_int_equal(conf_define(&c, "list=x"), -1);
	stop(&c, &s);
}

static void
what_is_printed_reads_back_the_same(void **state)
{
	static const char text[] = "flag yes\nnumber 7\nsize 1536\n"
				   "wait_ms 90s\nskew 1h\ntext \"\"\n"
				   "path /x\ncolour red\nlist a\nlist b\n";
	struct small s;
	struct conf c;
	char *out;
	size_t n;
	FILE *fp;

	(void)state;
	start(&c, &s);
	assert_int_equal(conf_text(&c, "f", bytes_str(text)), 0);
	assert_non_null(fp = open_memstream(&out, &n));
	conf_print(rows, LEN(rows), &s, fp);
	assert_int_equal(fclose(fp), 0);
	assert_string_equal(out,
	    "flag yes\nnumber 7\nsize 1536\n"
	    "wait_ms 90s\nskew 1h\ntext \"\"\n"
	    "path /x\ncolour red\nlist a\nlist b\n");
	free(out);
	stop(&c, &s);
}

static void
a_file_that_cannot_be_read_is_an_error_of_its_own(void **state)
{
	struct small s;
	struct conf c;

	(void)state;
	start(&c, &s);
	assert_int_equal(conf_file(&c, "/nonexistent/quire.conf"), -1);
	assert_int_equal(conf_file(&c, "/tmp"), -1);
	assert_int_equal(conf_file(&c, "/dev/zero"), -1);
	assert_string_equal(said,
	    "/nonexistent/quire.conf: No such file or directory\n"
	    "/tmp: Is a directory\n/dev/zero: File too large\n");
	stop(&c, &s);
}

static void
quireds_own_defaults_are_in_range_and_rows_explained(void **state)
{
	struct config *config;
	size_t i, j;

	(void)state;
	said[0] = '\0';
	assert_int_equal(config_parse(BYTES_NONE, say, NULL, &config), 0);
	assert_string_equal(said, "");
	assert_string_equal(config->data, "/var/lib/quire");
	assert_int_equal(config->sandbox, SANDBOX_BEST_EFFORT);
	assert_int_equal(config->log, LOG_TO_STDERR);
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_int_equal(config->root, ROOT_NONE);
	assert_true(config->sds && config->secsync && config->canvas);
	assert_true(config->logseq && !config->echo);
	assert_true(config->sds_message_max == 104857600);
	assert_true(config->ring_bytes == 1 << 20);
	assert_true(config->handshake_ms == 10000 && config->skew == 0);
	config_free(config);
	for (i = 0; i < config_row_count; i++) {
		assert_true(strlen(config_rows[i].help) > 10);
		for (j = 0; j < i; j++)
			assert_string_not_equal(config_rows[i].name,
			    config_rows[j].name);
	}
}

static void
quireds_settings_print_and_read_back(void **state)
{
	static const char text[] =
	    "user \"\"\nlog syslog\nlog_level debug\n"
	    "sandbox require\norigin https://a.example:8443\norigin null\n"
	    "proxy 10.0.0.0/8\nproxy ::1\nroot canvas\nlogseq_allow a@b\n"
	    "public_url https://a.example/x\nissuer me\n";
	struct config *a, *b;
	char *one, *two;
	size_t n;
	FILE *fp;

	(void)state;
	said[0] = '\0';
	assert_int_equal(config_parse(bytes_str(text), say, NULL, &a), 0);
	assert_non_null(fp = open_memstream(&one, &n));
	config_print(a, fp);
	assert_int_equal(fclose(fp), 0);
	assert_int_equal(config_parse(bytes_of(one, n), say, NULL, &b), 0);
	assert_non_null(fp = open_memstream(&two, &n));
	config_print(b, fp);
	assert_int_equal(fclose(fp), 0);
	assert_string_equal(one, two);
	assert_non_null(strstr(one, "log_level debug\n"));
	assert_int_equal(b->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(b->log, LOG_TO_SYSLOG);
	assert_int_equal(b->sandbox, SANDBOX_REQUIRE);
	assert_int_equal(b->root, ROOT_CANVAS);
	assert_int_equal(b->proxy.n, 2);
	free(one);
	free(two);
	config_free(a);
	config_free(b);
}

static void
settings_that_do_not_go_together_are_refused(void **state)
{
	static const char *const bad[] = { "ring_bytes 100K",
		"secsync_prefix secsync/", "secsync_prefix /secsync",
		"secsync_prefix /", "secsync_prefix /ws/x/",
		"secsync_prefix /sync/", "secsync_prefix /a//b/",
		"secsync_prefix /a/../", "secsync_prefix /a?b/",
		"secsync_prefix /%61/", "canvas_prefix /",
		"canvas_prefix /canvas/", "canvas_prefix /secsync/c",
		"canvas_prefix /graphs", "canvas_prefix /health",
		"root secsync\nsecsync no", "root canvas\ncanvas no",
		"public_url a.example", "public_url ftp://a.example",
		"public_url https://", "origin a.example",
		"origin https://a.example/", "origin https://",
		"proxy a.example", "proxy 10.0.0.0/33", "proxy 10.0.0.0/",
		"proxy 10.0.0.0/8x", "proxy ::1/129", "proxy 10.0.0",
		"proxy 10.0.0.0/-1" };
	struct config *config;
	size_t i;

	(void)state;
	for (i = 0; i < LEN(bad); i++) {
		said[0] = '\0';
		if (config_parse(bytes_str(bad[i]), say, NULL, &config) != -1)
			fail_msg("%s", bad[i]);
		assert_string_not_equal(said, "");
	}
}

static void
a_file_and_defines_make_one_configuration(void **state)
{
	char path[] = "/tmp/quire-conf-XXXXXX";
	char define[] = "skew=30", wrong[] = "skew=61";
	char *defines[] = { define };
	struct config *config;
	int fd;

	(void)state;
	assert_int_not_equal(fd = mkstemp(path), -1);
	assert_int_equal(write(fd, "skew 5\necho yes\n", 16), 16);
	close(fd);
	assert_int_equal(config_load(path, &config), 0);
	assert_true(config->skew == 5 && config->echo);
	config_free(config);
	assert_int_equal(config_load_with(path, defines, 1, &config), 0);
	assert_true(config->skew == 30);
	config_free(config);
	assert_int_equal(config_load_with(NULL, defines, 1, &config), 0);
	assert_true(config->skew == 30 && !config->echo);
	config_free(config);
	defines[0] = wrong;
	assert_int_equal(config_load_with(path, defines, 1, &config), -1);
	unlink(path);
	config_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_without_a_line_have_their_default),
		cmocka_unit_test(every_type_is_read_from_lines),
		cmocka_unit_test(units_belong_to_their_types),
		cmocka_unit_test(an_error_names_file_line_word_and_reason),
		cmocka_unit_test(a_nul_or_an_endless_line_is_an_error),
		cmocka_unit_test(a_define_replaces_the_file_and_adds_to_lists),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(what_is_printed_reads_back_the_same),
		cmocka_unit_test(
		    a_file_that_cannot_be_read_is_an_error_of_its_own),
		cmocka_unit_test(
		    quireds_own_defaults_are_in_range_and_rows_explained),
		cmocka_unit_test(quireds_settings_print_and_read_back),
		cmocka_unit_test(settings_that_do_not_go_together_are_refused),
		cmocka_unit_test(a_file_and_defines_make_one_configuration),
	};

	return (cmocka_run_group_tests_name("conf", tests, NULL, NULL));
}

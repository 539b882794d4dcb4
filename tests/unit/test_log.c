/*
 * What the log writes, seen through a pipe in the place of stderr.  The syslog
 * variant is not tried here: it needs a daemon of the system's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"

static int pipe_fd[2];
static int stderr_fd;
static char seen[8192];

/* Everything written to stderr until log_seen goes to the pipe. */
static void
log_capture(void)
{
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_not_equal(fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK), -1);
	stderr_fd = dup(STDERR_FILENO);
	assert_int_not_equal(stderr_fd, -1);
	assert_int_not_equal(dup2(pipe_fd[1], STDERR_FILENO), -1);
	close(pipe_fd[1]);
}

static const char *
log_seen(void)
{
	ssize_t n;

	assert_int_not_equal(dup2(stderr_fd, STDERR_FILENO), -1);
	close(stderr_fd);
	n = read(pipe_fd[0], seen, sizeof(seen) - 1);
	close(pipe_fd[0]);
	seen[n > 0 ? n : 0] = '\0';
	return (seen);
}

static void
a_line_carries_program_level_and_text(void **state)
{
	(void)state;
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_INFO);
	log_capture();
	log_info("session %d open peer=%s", 7, "local");
	log_warnx("odd");
	assert_string_equal(log_seen(),
	    "quired: info: session 7 open peer=local\nquired: warn: odd\n");
}

static void
log_warn_names_errno_and_keeps_it(void **state)
{
	(void)state;
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_INFO);
	log_capture();
	errno = ENOENT;
	log_warn("open %s", "/x");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(log_seen(),
	    "quired: warn: open /x: No such file or directory\n");
}

static void
errno_survives_even_a_closed_stderr(void **state)
{
	(void)state;
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_INFO);
	log_capture();
	close(STDERR_FILENO);
	errno = EAGAIN;
	log_info("into the void");
	assert_int_equal(errno, EAGAIN);
	assert_string_equal(log_seen(), "");
}

static void
levels_above_the_limit_stay_silent(void **state)
{
	(void)state;
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_WARN);
	log_capture();
	log_info("not this");
	log_debug("nor this");
	log_warnx("but this");
	log_level_set(LOG_LEVEL_DEBUG);
	log_debug("and this");
	assert_string_equal(log_seen(),
	    "quired: warn: but this\nquired: debug: and this\n");
	assert_int_equal(log_level_get(), LOG_LEVEL_DEBUG);
}

static void
a_newline_in_the_text_cannot_forge_a_second_event(void **state)
{
	(void)state;
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_INFO);
	log_capture();
	log_info("sub=a\nquired: info: admin\r\033[2J\x9b");
	assert_string_equal(log_seen(),
	    "quired: info: sub=a?quired: info: admin??[2J?\n");
}

static void
an_overlong_line_is_cut_and_still_ends_in_a_newline(void **state)
{
	static char text[5000];
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_INFO);
	log_capture();
	errno = ENOENT;
	log_warn("%s", text);
	n = strlen(log_seen());
	assert_int_equal(n, 2048);
	assert_int_equal(seen[n - 1], '\n');
	assert_int_equal(seen[n - 2], 'x');
}

static void
fatal_logs_an_error_and_exits_with_the_status(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	log_init("quired", LOG_TO_STDERR, LOG_LEVEL_ERROR);
	log_capture();
	if ((pid = fork()) == 0) {
		errno = EACCES;
		fatal(77, "data");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 77);
	if ((pid = fork()) == 0) {
		errno = EACCES;
		fatalx(64, "usage");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 64);
	assert_string_equal(log_seen(),
	    "quired: error: data: Permission "
	    "denied\nquired: error: usage\n");
}

static void
level_names_are_exact(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("error"), LOG_LEVEL_ERROR);
	assert_int_equal(log_level_parse("warn"), LOG_LEVEL_WARN);
	assert_int_equal(log_level_parse("info"), LOG_LEVEL_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("Info"), -1);
	assert_int_equal(log_level_parse(""), -1);
}

static void
quoting_makes_any_byte_printable(void **state)
{
	char out[64];

	(void)state;
	assert_ptr_equal(log_quote(out, sizeof(out),
			     BYTES_LIT("a b\"\\\n\0\xff~")),
	    out);
	assert_string_equal(out, "a b\\x22\\x5c\\x0a\\x00\\xff~");
	assert_string_equal(log_quote(out, sizeof(out), BYTES_NONE), "");
}

static void
quoting_cuts_with_dots_and_never_inside_an_escape(void **state)
{
	char out[16];
	size_t size;

	(void)state;
	assert_string_equal(log_quote(out, 8, BYTES_LIT("1234567")), "1234567");
	assert_string_equal(log_quote(out, 8, BYTES_LIT("12345678")),
	    "1234...");
	assert_string_equal(log_quote(out, 8, BYTES_LIT("12\n45678")), "12...");
	assert_string_equal(log_quote(out, 8, BYTES_LIT("\n\n\n")), "\\x0a...");
	for (size = 0; size < sizeof(out); size++) {
		memset(out, '#', sizeof(out));
		log_quote(out, size, BYTES_LIT("\n1\n23\n456\n7890\n"));
		assert_int_equal(out[size], '#');
		assert_true(size == 0 || strlen(out) < size);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_carries_program_level_and_text),
		cmocka_unit_test(log_warn_names_errno_and_keeps_it),
		cmocka_unit_test(errno_survives_even_a_closed_stderr),
		cmocka_unit_test(levels_above_the_limit_stay_silent),
		cmocka_unit_test(
		    a_newline_in_the_text_cannot_forge_a_second_event),
		cmocka_unit_test(
		    an_overlong_line_is_cut_and_still_ends_in_a_newline),
		cmocka_unit_test(fatal_logs_an_error_and_exits_with_the_status),
		cmocka_unit_test(level_names_are_exact),
		cmocka_unit_test(quoting_makes_any_byte_printable),
		cmocka_unit_test(
		    quoting_cuts_with_dots_and_never_inside_an_escape),
	};

	return (cmocka_run_group_tests_name("log", tests, NULL, NULL));
}

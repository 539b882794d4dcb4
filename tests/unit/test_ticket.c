/* Tickets: what is sealed comes back whole, by its key alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "broker/ticket.h"
#include "tests/lib/kv_mem.h"

static const uint8_t key[TICKET_KEY_BYTES] = "a key of thirty-two octets......";

static void
seal(struct buf *out)
{
	struct msg login = MSG(LOGIN);

	login.f[login_dialect].u = 3;
	login.f[login_input].b = BYTES_LIT("header.payload");
	login.f[login_mac].b = BYTES_LIT("mac");
	login.f[login_store].b = BYTES_LIT("demo");
	assert_int_equal(ticket_seal(key, 7, 1234, &login, out), 0);
}

static void
what_is_sealed_comes_back_whole(void **state)
{
	struct buf sealed = BUF_INIT;
	struct ticket t;

	(void)state;
	seal(&sealed);
	assert_int_equal(ticket_open(key, buf_bytes(&sealed), &t), 0);
	assert_int_equal(t.session, 7);
	assert_int_equal(t.login_s, 1234);
	assert_int_equal(t.login.f[login_dialect].u, 3);
	assert_true(
	    bytes_eq(t.login.f[login_input].b, BYTES_LIT("header.payload")));
	assert_true(bytes_eq(t.login.f[login_store].b, BYTES_LIT("demo")));
	ticket_free(&t);
	buf_free(&sealed);
}

static void
nothing_of_the_token_can_be_read_in_it(void **state)
{
	struct buf sealed = BUF_INIT;

	(void)state;
	seal(&sealed);
	assert_null(memmem(buf_bytes(&sealed).p, sealed.len, "payload", 7));
	buf_free(&sealed);
}

static void
another_key_opens_nothing(void **state)
{
	uint8_t other[TICKET_KEY_BYTES];
	struct buf sealed = BUF_INIT;
	struct ticket t;

	(void)state;
	memcpy(other, key, sizeof(other));
	other[0] ^= 1;
	seal(&sealed);
	assert_int_equal(ticket_open(other, buf_bytes(&sealed), &t), -1);
	ticket_free(&t);
	buf_free(&sealed);
}

static void
no_octet_can_be_changed_or_left_out(void **state)
{
	struct buf sealed = BUF_INIT;
	struct ticket t;
	size_t i;

	(void)state;
	seal(&sealed);
	for (i = 0; i < sealed.len; i++) {
		sealed.mem[sealed.off + i] ^= 1;
		assert_int_equal(ticket_open(key, buf_bytes(&sealed), &t), -1);
		ticket_free(&t);
		sealed.mem[sealed.off + i] ^= 1;
		assert_int_equal(ticket_open(key,
				     bytes_of(buf_bytes(&sealed).p, i), &t),
		    -1);
		ticket_free(&t);
	}
	buf_free(&sealed);
}

static void
the_key_is_made_once_and_stays(void **state)
{
	uint8_t first[TICKET_KEY_BYTES], again[TICKET_KEY_BYTES];
	struct kv *kv = kv_mem_open();

	(void)state;
	assert_int_equal(ticket_key(kv, first), 0);
	assert_int_equal(ticket_key(kv, again), 0);
	assert_memory_equal(first, again, sizeof(first));
	assert_int_equal(sodium_is_zero(first, sizeof(first)), 0);
	kv->ops->close(kv);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_comes_back_whole),
		cmocka_unit_test(nothing_of_the_token_can_be_read_in_it),
		cmocka_unit_test(another_key_opens_nothing),
		cmocka_unit_test(no_octet_can_be_changed_or_left_out),
		cmocka_unit_test(the_key_is_made_once_and_stays),
	};

	if (sodium_init() == -1)
		return (1);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}

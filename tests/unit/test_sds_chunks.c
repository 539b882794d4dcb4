/*
 * VALUE_CHUNK frames put together: order, repeats, limits, poison.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "worker/sds_chunks.h"

static struct sds_chunks set;

static struct sds_chunk
chunk(const char *key, uint32_t index, uint32_t total, const char *data)
{
	static uint8_t keys[64][SDS_KEY_BYTES];
	static size_t next;
	uint8_t *k = keys[next++ % 64];

	memset(k, 0, SDS_KEY_BYTES);
	memcpy(k, key, strlen(key));
	return ((struct sds_chunk){ bytes_of(k, SDS_KEY_BYTES), index, total,
	    bytes_str(data) });
}

static struct sds_value *
add(const char *key, uint32_t index, uint32_t total, const char *data)
{
	struct sds_chunk c = chunk(key, index, total, data);
	int fresh;

	return (sds_chunks_add(&set, &c, &fresh));
}

static int
add_fresh(const char *key, uint32_t index, uint32_t total)
{
	struct sds_chunk c = chunk(key, index, total, "x");
	int fresh;

	sds_chunks_add(&set, &c, &fresh);
	return (fresh);
}

static void
assert_taken(struct sds_value *v, const char *want)
{
	struct buf b = BUF_INIT;

	assert_non_null(v);
	assert_int_equal(v->have, v->total);
	assert_int_equal(sds_chunks_take(&set, v, &b), 0);
	assert_int_equal(b.len, strlen(want));
	if (b.len > 0)
		assert_memory_equal(buf_bytes(&b).p, want, b.len);
	buf_free(&b);
}

static int
setup(void **state)
{
	(void)state;
	sds_chunks_init(&set, 100);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	sds_chunks_free(&set);
	assert_int_equal(set.octets, 0);
	return (0);
}

static void
a_frame_is_read_as_key_index_and_total(void **state)
{
	uint8_t frame[SDS_CHUNK_HEAD_BYTES + 3] = { SDS_VALUE_CHUNK };
	struct sds_chunk c;

	(void)state;
	memset(frame + 1, 'k', SDS_KEY_BYTES);
	be32_put(frame + 33, 6);
	be32_put(frame + 37, 7);
	memcpy(frame + 41, "abc", 3);
	assert_int_equal(sds_chunk_parse(bytes_of(frame, 44), &c), 1);
	assert_int_equal(c.key.n, 32);
	assert_memory_equal(c.key.p, frame + 1, 32);
	assert_int_equal(c.index, 6);
	assert_int_equal(c.total, 7);
	assert_true(bytes_eq(c.data, BYTES_LIT("abc")));
	assert_int_equal(sds_chunk_parse(bytes_of(frame, 41), &c), 1);
	assert_int_equal(c.data.n, 0);
	assert_int_equal(sds_chunk_parse(bytes_of(frame, 40), &c), 0);
}

static void
no_total_or_an_index_beyond_it_is_poison(void **state)
{
	uint8_t frame[SDS_CHUNK_HEAD_BYTES] = { SDS_VALUE_CHUNK };
	struct sds_chunk c;

	(void)state;
	assert_int_equal(sds_chunk_parse(bytes_of(frame, 41), &c), -1);
	be32_put(frame + 37, 2);
	be32_put(frame + 33, 2);
	assert_int_equal(sds_chunk_parse(bytes_of(frame, 41), &c), -1);
	be32_put(frame + 33, 1);
	assert_int_equal(sds_chunk_parse(bytes_of(frame, 41), &c), 1);
}

static void
chunks_in_any_order_make_the_value(void **state)
{
	(void)state;
	assert_int_equal(add("a", 2, 3, "ef")->have, 1);
	assert_int_equal(add("a", 0, 3, "ab")->have, 2);
	assert_taken(add("a", 1, 3, "cd"), "abcdef");
	assert_int_equal(set.octets, 0);
}

static void
an_empty_chunk_is_a_chunk(void **state)
{
	(void)state;
	assert_int_equal(add("a", 0, 2, "")->have, 1);
	assert_taken(add("a", 1, 2, ""), "");
}

static void
a_repeated_chunk_replaces_the_first(void **state)
{
	(void)state;
	add("a", 0, 2, "old");
	assert_int_equal(add("a", 0, 2, "n")->have, 1);
	assert_int_equal(set.octets, 1);
	assert_taken(add("a", 1, 2, "ew"), "new");
}

static void
another_total_starts_the_value_anew(void **state)
{
	(void)state;
	assert_int_equal(add_fresh("a", 0, 3), 1);
	assert_int_equal(add_fresh("a", 1, 3), 0);
	assert_int_equal(add_fresh("a", 0, 2), 1);
	assert_int_equal(set.octets, 1);
	assert_taken(add("a", 1, 2, "y"), "xy");
}

static void
values_of_different_keys_do_not_mix(void **state)
{
	(void)state;
	add("a", 0, 2, "1");
	add("b", 0, 2, "2");
	assert_taken(add("a", 1, 2, "3"), "13");
	assert_taken(add("b", 1, 2, "4"), "24");
}

static void
too_many_chunks_are_refused_before_memory_is_asked(void **state)
{
	(void)state;
	assert_null(add("a", 0, SDS_CHUNKS_MAX + 1, "x"));
	assert_null(add("a", 0, UINT32_MAX, "x"));
	assert_non_null(add("a", 0, SDS_CHUNKS_MAX, "x"));
}

static void
a_value_over_the_limit_is_forgotten(void **state)
{
	char text[102];

	(void)state;
	memset(text, 'x', 101);
	text[101] = '\0';
	assert_null(add("a", 0, 2, text));
	text[100] = '\0';
	assert_non_null(add("a", 0, 2, text));
	assert_null(add("a", 1, 2, "x"));
	assert_int_equal(set.octets, 0);
}

static void
the_oldest_value_gives_way_to_octets(void **state)
{
	char text[61];

	(void)state;
	memset(text, 'x', 60);
	text[60] = '\0';
	add("a", 0, 2, text);
	assert_non_null(add("b", 0, 2, text));
	assert_int_equal(set.octets, 60);
	assert_int_equal(add_fresh("b", 0, 2), 0);
	assert_int_equal(add_fresh("a", 0, 2), 1);
}

static void
the_oldest_value_gives_way_to_one_too_many(void **state)
{
	char key[8];
	unsigned int i;

	(void)state;
	for (i = 0; i <= SDS_CHUNKS_VALUES_MAX; i++) {
		snprintf(key, sizeof(key), "k%u", i);
		assert_int_equal(add_fresh(key, 0, 2), 1);
	}
	assert_int_equal(set.octets, SDS_CHUNKS_VALUES_MAX);
	assert_int_equal(add_fresh("k1", 0, 2), 0);
	assert_int_equal(add_fresh("k0", 0, 2), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_read_as_key_index_and_total),
		cmocka_unit_test(no_total_or_an_index_beyond_it_is_poison),
		cmocka_unit_test_setup_teardown(
		    chunks_in_any_order_make_the_value, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_chunk_is_a_chunk,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_repeated_chunk_replaces_the_first, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    another_total_starts_the_value_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    values_of_different_keys_do_not_mix, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    too_many_chunks_are_refused_before_memory_is_asked, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_value_over_the_limit_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_oldest_value_gives_way_to_octets, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    the_oldest_value_gives_way_to_one_too_many, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}

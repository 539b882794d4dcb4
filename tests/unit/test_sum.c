/*
 * The sums of records and pages: the same as zlib's and Berkeley DB's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dlfcn.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "broker/sum.h"

#define OCTETS	4400u
#define SHIFTED 17u

typedef uint32_t page_sum(DB *, const void *, uint32_t);

static uint8_t octets[OCTETS + SHIFTED];

static int
make(void **state)
{
	uint32_t x = 2463534242;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(octets); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		octets[i] = i % 1000 < 50 ? 0xff : (uint8_t)x;
	}
	return (0);
}

/* One octet after the other. */
static uint32_t
page_plainly(const uint8_t *p, uint32_t n)
{
	uint32_t h = 0;

	for (; n > 0; n--)
		h = (h << 5) + h + *p++;
	return (h);
}

/* The library's own; NULL where it has it to itself. */
static page_sum *
page_of_library(void)
{
	void *found;
	page_sum *f;

	(void)db_version(NULL, NULL, NULL); /* so that it is there at all */
	found = dlsym(RTLD_NEXT, "__ham_func4");
	memcpy(&f, &found, sizeof(f));
	return (f);
}

static void
a_records_sum_is_zlibs_whatever_its_length_and_place(void **state)
{
	const uint8_t *p;
	uint32_t n;

	(void)state;
	for (n = 0; n <= OCTETS; n++) {
		p = octets + n % SHIFTED;
		assert_int_equal(sum_crc32(bytes_of(p, n)), crc32_z(0, p, n));
	}
	assert_int_equal(sum_crc32(BYTES_NONE), 0);
}

static void
one_bit_changes_a_records_sum_wherever_it_is(void **state)
{
	uint32_t was = sum_crc32(bytes_of(octets, OCTETS));
	size_t bit;

	(void)state;
	for (bit = 0; bit < 8 * (size_t)OCTETS; bit += 7) {
		octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(sum_crc32(bytes_of(octets, OCTETS)), was);
		octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
a_pages_sum_is_the_librarys_whatever_its_length_and_place(void **state)
{
	page_sum *theirs = page_of_library();
	const uint8_t *p;
	uint32_t n;

	(void)state;
	for (n = 0; n <= OCTETS; n++) {
		p = octets + n % SHIFTED;
		assert_int_equal(sum_page(NULL, p, n), page_plainly(p, n));
		if (theirs != NULL)
			assert_int_equal(sum_page(NULL, p, n),
			    theirs(NULL, p, n));
	}
}

/* What it calls is found as any program's symbol is. */
static void
the_library_sums_pages_by_ours(void **state)
{
	page_sum *ours = sum_page;
	void *found = dlsym(RTLD_DEFAULT, "__ham_func4");

	(void)state;
	if (page_of_library() == NULL)
		skip();
	assert_memory_equal(&found, &ours, sizeof(found));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_records_sum_is_zlibs_whatever_its_length_and_place),
		cmocka_unit_test(one_bit_changes_a_records_sum_wherever_it_is),
		cmocka_unit_test(
		    a_pages_sum_is_the_librarys_whatever_its_length_and_place),
		cmocka_unit_test(the_library_sums_pages_by_ours),
	};

	return (cmocka_run_group_tests(tests, make, NULL));
}

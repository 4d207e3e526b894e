// SPDX-License-Identifier: MIT
// The boot information as a loader could have left it, whole and broken in every way we know. Each
// is parsed in a buffer of its very size, so that the sanitizer sees a read beyond it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/multiboot2.h"
#include "test/unit/fake/boot/info_builder.h"

// Parses the first `len` bytes in a buffer of that size.
static status_t parse_bytes(const struct info_builder *b, uint32_t len, struct multiboot *out)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, b->bytes, len);
    status_t status = multiboot_parse(exact, len, out);
    free(exact);
    return status;
}

static status_t parse(const struct info_builder *b, struct multiboot *out)
{
    return parse_bytes(b, b->len, out);
}

static void expect(const struct info_builder *b, status_t wanted)
{
    struct multiboot out, before;
    memset(&out, 0x5a, sizeof(out));
    before = out;
    assert_int_equal(parse(b, &out), wanted);
    if (wanted != OK)
        assert_memory_equal(&out, &before, sizeof(out));
}

static void build_whole(struct info_builder *b)
{
    info_begin(b);
    info_add_text(b, TAG_COMMAND_LINE, "alpha beta");
    info_add_text(b, TAG_NAME, "a boot loader");
    info_add_module(b, 0x200000, 0x201234, "vmm");
    info_add_module(b, 0x202000, 0x202000, "empty");
    uint32_t at = info_begin_map(b);
    info_put_region(b, 0x100000, 0x3f00000, MULTIBOOT_RAM); // unsorted, overlapping, unaligned:
    info_put_region(b, 0, 0x9fc00, MULTIBOOT_RAM);          // carve.h's business
    info_put_region(b, 0x9fc00, 0x400, 2);
    info_put_region(b, 0x300000, 0, MULTIBOOT_RAM); // empty: left out
    info_put_region(b, 0x200000, 0x1001, MULTIBOOT_ACPI);
    info_end_tag(b, at);
    info_finish(b);
}

static void test_whole_information(void **state)
{
    (void)state;
    static struct info_builder b;
    static struct multiboot out;
    build_whole(&b);
    assert_int_equal(multiboot_parse(b.bytes, b.len, &out), OK);
    assert_int_equal(out.len_bytes, b.len);
    assert_string_equal(out.command_line, "alpha beta");
    assert_int_equal(out.n_modules, 2);
    assert_int_equal(out.modules[0].start, 0x200000);
    assert_int_equal(out.modules[0].len_bytes, 0x1234);
    assert_string_equal(out.modules[0].name, "vmm");
    assert_int_equal(out.modules[1].len_bytes, 0);
    assert_string_equal(out.modules[1].name, "empty");
    assert_int_equal(out.n_regions, 4);
    assert_int_equal(out.regions[0].start, 0x100000);
    assert_int_equal(out.regions[0].len_bytes, 0x3f00000);
    assert_int_equal(out.regions[0].type, MULTIBOOT_RAM);
    assert_int_equal(out.regions[2].type, 2);
    assert_int_equal(out.regions[3].start, 0x200000);
    assert_int_equal(out.regions[3].type, MULTIBOOT_ACPI);
}

static void test_no_command_line_is_empty(void **state)
{
    (void)state;
    struct info_builder b;
    struct multiboot out;
    info_begin(&b);
    info_add_map(&b);
    info_finish(&b);
    assert_int_equal(parse(&b, &out), OK);
    assert_string_equal(out.command_line, "");
}

static void test_larger_entries_are_stepped_over(void **state)
{
    (void)state;
    struct info_builder b;
    struct multiboot out;
    info_begin(&b);
    uint32_t at = info_begin_map(&b);
    info_set32(&b, at + 8, 40);
    for (uint64_t i = 0; i < 2; i++) {
        info_put_region(&b, i << 20, 4096, MULTIBOOT_RAM);
        info_put64(&b, ~0ull);
        info_put64(&b, ~0ull);
    }
    info_end_tag(&b, at);
    info_finish(&b);
    assert_int_equal(parse(&b, &out), OK);
    assert_int_equal(out.n_regions, 2);
    assert_int_equal(out.regions[1].start, 1 << 20);
}

static void test_every_truncation_is_malformed(void **state)
{
    (void)state;
    static struct info_builder b;
    static struct multiboot out;
    build_whole(&b);
    for (uint32_t len = 0; len < b.len; len++)
        assert_int_equal(parse_bytes(&b, len, &out), E_FORMAT);
    // The same with a total that agrees with the truncation: the end tag is missing or cut.
    for (uint32_t len = 4; len < b.len; len++) {
        info_set32(&b, 0, len);
        assert_int_equal(parse_bytes(&b, len, &out), E_FORMAT);
    }
}

static void test_total_beyond_what_may_be_read(void **state)
{
    (void)state;
    struct info_builder b;
    build_whole(&b);
    info_set32(&b, 0, b.len + 1);
    expect(&b, E_FORMAT);
    info_set32(&b, 0, UINT32_MAX);
    expect(&b, E_FORMAT);
}

// Sizes that would make a careless walk stand still, go back, or leave the buffer.
static void test_lying_tag_sizes(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 7, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct info_builder b;
        info_begin(&b);
        uint32_t at = info_add_text(&b, TAG_NAME, "loader");
        info_add_map(&b);
        info_finish(&b);
        info_set32(&b, at + 4, sizes[i]);
        expect(&b, E_FORMAT);
    }
}

static void test_last_tag_may_not_reach_over_the_total(void **state)
{
    (void)state;
    struct info_builder b;
    info_begin(&b);
    info_add_map(&b);
    uint32_t at = info_add_text(&b, TAG_COMMAND_LINE, "1234567"); // 16 bytes
    info_set32(&b, 0, b.len);                                     // no end tag behind it
    expect(&b, E_FORMAT);
    info_set32(&b, at + 4, 17);
    expect(&b, E_FORMAT);
}

static void test_no_memory_map(void **state)
{
    (void)state;
    struct info_builder b;
    info_begin(&b);
    info_add_module(&b, 0x200000, 0x201000, "vmm");
    info_finish(&b);
    expect(&b, E_NOREGION);

    info_begin(&b);
    info_end_tag(&b, info_begin_map(&b)); // a map without entries
    info_finish(&b);
    expect(&b, E_NOREGION);
}

static void test_memory_map_that_is_broken(void **state)
{
    (void)state;
    static const uint32_t entry_sizes[] = {0, 1, 23, 25, UINT32_MAX};
    for (size_t i = 0; i < sizeof(entry_sizes) / sizeof(entry_sizes[0]); i++) {
        struct info_builder b;
        info_begin(&b);
        uint32_t at = b.len;
        info_add_map(&b);
        info_finish(&b);
        info_set32(&b, at + 8, entry_sizes[i]);
        expect(&b, E_FORMAT);
    }
    struct info_builder b;
    info_begin(&b);
    uint32_t at = info_begin_tag(&b, TAG_MAP);
    info_put32(&b, 24); // the entry version is missing
    info_end_tag(&b, at);
    info_finish(&b);
    expect(&b, E_FORMAT);

    info_begin(&b);
    info_add_map(&b);
    info_add_map(&b);
    info_finish(&b);
    expect(&b, E_FORMAT);
}

static void test_region_that_wraps(void **state)
{
    (void)state;
    struct info_builder b;
    struct multiboot out;
    info_begin(&b);
    uint32_t at = info_begin_map(&b);
    info_put_region(&b, 0xfffffffffffff000ull, 0x1001, MULTIBOOT_RAM);
    info_end_tag(&b, at);
    info_finish(&b);
    expect(&b, E_OVERFLOW);

    info_begin(&b);
    at = info_begin_map(&b);
    info_put_region(&b, 0xfffffffffffff000ull, 0x1000, MULTIBOOT_RAM); // ends with the last byte
    info_put_region(&b, 0, UINT64_MAX, 2);
    info_end_tag(&b, at);
    info_finish(&b);
    assert_int_equal(parse(&b, &out), OK);
    assert_int_equal(out.n_regions, 2);
}

static void test_region_limit(void **state)
{
    (void)state;
    for (uint32_t extra = 0; extra < 2; extra++) {
        struct info_builder b;
        info_begin(&b);
        uint32_t at = info_begin_map(&b);
        for (uint64_t i = 0; i < MULTIBOOT_REGIONS_MAX + extra; i++)
            info_put_region(&b, i << 20, 4096, MULTIBOOT_RAM);
        info_end_tag(&b, at);
        info_finish(&b);
        expect(&b, extra == 0 ? OK : E_LIMIT);
    }
}

static void test_module_limit(void **state)
{
    (void)state;
    for (uint32_t extra = 0; extra < 2; extra++) {
        struct info_builder b;
        info_begin(&b);
        info_add_map(&b);
        for (uint32_t i = 0; i < MULTIBOOT_MODULES_MAX + extra; i++)
            info_add_module(&b, i << 12, (i + 1) << 12, "module");
        info_finish(&b);
        expect(&b, extra == 0 ? OK : E_LIMIT);
    }
}

static void test_module_that_is_broken(void **state)
{
    (void)state;
    struct info_builder b;
    info_begin(&b);
    info_add_map(&b);
    info_add_module(&b, 0x201000, 0x200fff, "ends before it begins");
    info_finish(&b);
    expect(&b, E_FORMAT);

    info_begin(&b);
    info_add_map(&b);
    uint32_t at = info_begin_tag(&b, TAG_MODULE);
    info_put32(&b, 0x200000); // the end is missing
    info_end_tag(&b, at);
    info_finish(&b);
    expect(&b, E_FORMAT);

    info_begin(&b);
    info_add_map(&b);
    at = info_add_module(&b, 0x200000, 0x201000, "");
    info_set32(&b, at + 4, 16); // no byte for the name, not even its NUL
    info_finish(&b);
    expect(&b, E_FORMAT);
}

static void test_strings_without_an_end(void **state)
{
    (void)state;
    struct info_builder b;
    info_begin(&b);
    info_add_map(&b);
    uint32_t at = info_add_text(&b, TAG_COMMAND_LINE, "1234567");
    info_set32(&b, at + 4, 15); // cuts the NUL off; the bytes behind must not serve
    info_finish(&b);
    expect(&b, E_FORMAT);

    info_begin(&b);
    info_add_map(&b);
    at = info_add_module(&b, 0x200000, 0x201000, "1234567");
    info_set32(&b, at + 4, 23);
    info_finish(&b);
    expect(&b, E_FORMAT);
}

// Whatever one byte says instead: no read outside, no hang, and what is accepted keeps its bounds.
static void test_every_byte_corrupted(void **state)
{
    (void)state;
    static struct info_builder b;
    static struct multiboot out;
    static const unsigned char values[] = {0x00, 0x01, 0x03, 0x06, 0x07, 0x7f, 0x80, 0xff};
    build_whole(&b);
    for (uint32_t at = 0; at < b.len; at++) {
        unsigned char kept = b.bytes[at];
        for (size_t i = 0; i < sizeof(values); i++) {
            b.bytes[at] = values[i];
            if (parse(&b, &out) != OK)
                continue;
            assert_in_range(out.n_regions, 1, MULTIBOOT_REGIONS_MAX);
            assert_true(out.n_modules <= 2 && out.len_bytes <= b.len);
        }
        b.bytes[at] = kept;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_information),
        cmocka_unit_test(test_no_command_line_is_empty),
        cmocka_unit_test(test_larger_entries_are_stepped_over),
        cmocka_unit_test(test_every_truncation_is_malformed),
        cmocka_unit_test(test_total_beyond_what_may_be_read),
        cmocka_unit_test(test_lying_tag_sizes),
        cmocka_unit_test(test_last_tag_may_not_reach_over_the_total),
        cmocka_unit_test(test_no_memory_map),
        cmocka_unit_test(test_memory_map_that_is_broken),
        cmocka_unit_test(test_region_that_wraps),
        cmocka_unit_test(test_region_limit),
        cmocka_unit_test(test_module_limit),
        cmocka_unit_test(test_module_that_is_broken),
        cmocka_unit_test(test_strings_without_an_end),
        cmocka_unit_test(test_every_byte_corrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

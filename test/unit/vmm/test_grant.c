// SPDX-License-Identifier: MIT
// Grants: windows, rights, derivation, the last reference.
#include "servers/vmm/core/grant.h"

#include "servers/vmm/core/space.h"
#include "test/unit/fake/vmm/fake.h"

#define VA 0x400000ull
#define RW (PROT_R | PROT_W)

// R5: unaligned, empty, wrapping or wider windows are refused; so are more rights (R1).
static void test_derive_never_widens(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b, got;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_derive(f, a, VA, 4, RIGHTS_SPACE & ~RIGHT_WRITE, &b), OK);
    const struct {
        uint64_t va, pages, rights;
        status_t status;
    } bad[] = {
        {VA + 1, 1, RIGHT_READ, E_INVAL},      {VA, 0, RIGHT_READ, E_INVAL},
        {VA, ~0ull, RIGHT_READ, E_INVAL},      {VA, (1ull << 52) - 1, RIGHT_READ, E_INVAL},
        {~0ull << 12, 2, RIGHT_READ, E_INVAL}, {VA - 0x1000, 1, RIGHT_READ, E_RIGHT},
        {VA - 0x1000, 2, RIGHT_READ, E_RIGHT}, {VA, 5, RIGHT_READ, E_RIGHT},
        {VA + 0x4000, 1, RIGHT_READ, E_RIGHT}, {VA, 4, RIGHT_WRITE, E_RIGHT},
        {VA, 4, RIGHT_AUDIT, E_RIGHT},         {VA, 4, 1u << 20, E_RIGHT},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_DERIVE, 0), bad[i].va, bad[i].pages,
                                               bad[i].rights};
        assert_int_equal(fake_call(f, b, words, NULL, &got, NULL), bad[i].status);
    }
    const uint64_t wide[MESSAGE_WORDS] = {vmm_word0(VMM_DERIVE, 0), VA, 4, 1ull << 40 | 1};
    assert_int_equal(fake_call(f, b, wide, NULL, &got, NULL), E_RIGHT);
    fake_drop(f, &a);
    fake_drop(f, &b);
}

// A window bounds every request that names a range.
static void test_window_bounds(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_derive(f, a, VA, 2, RIGHTS_SPACE & ~RIGHT_EXECUTE, &b), OK);
    assert_int_equal(fake_map(f, b, VA, 2, RW, 0), OK);
    assert_int_equal(fake_map(f, b, VA + 0x2000, 1, RW, 0), E_RIGHT);
    assert_int_equal(fake_unmap(f, b, VA + 0x1000, 2), E_RIGHT);
    assert_int_equal(fake_protect(f, b, VA - 0x1000, 2, PROT_R), E_RIGHT);
    assert_int_equal(fake_protect(f, b, VA, 1, PROT_R | PROT_X), E_RIGHT);
    assert_int_equal(fake_protect(f, a, VA, 1, PROT_R | PROT_X), OK);
    assert_int_equal(fake_unmap(f, b, VA, 2), OK);
    fake_drop(f, &b);
    fake_drop(f, &a);
}

// Dropping a grant leaves what was derived from it, as if derived from its parent.
static void test_drop_passes_children_on(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, b, c[3];
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_derive(f, a, VA, 4, RIGHTS_SPACE, &b), OK);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(fake_derive(f, b, VA, 1, RIGHTS_SPACE, &c[i]), OK);
    record_t space = fake_space(f, a);
    assert_int_equal(space_of(&f->vm, space)->refs, 5);
    fake_drop(f, &b);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(portal_of(&f->vm, c[i].value)->parent, a.value);
    fake_drop(f, &c[1]);
    fake_drop(f, &a);
    assert_int_equal(space_of(&f->vm, space)->refs, 2);
    assert_int_equal(fake_map(f, c[0], VA, 1, RW, 0), OK);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &c[0]);
    fake_drop(f, &c[2]);
}

// The last of many copies returns all frames, and only it.
static void test_last_reference(void **state)
{
    struct fake *f = *state;
    struct fake_cap a, copies[5];
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    assert_int_equal(fake_map(f, a, VA, 20, RW, 0), OK);
    for (unsigned i = 0; i < 5; i++)
        copies[i] = fake_copy(f, a);
    fake_drop(f, &a);
    for (unsigned i = 0; i < 5; i++) {
        assert_true(before - f->vm.state->n_free > 20);
        fake_drop(f, &copies[i]);
    }
    assert_int_equal(f->vm.state->n_free, before);
}

// More grants than one frame of portals holds; all frames come back.
static void test_many_grants(void **state)
{
    struct fake *f = *state;
    static struct fake_cap got[512];
    struct fake_cap a;
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_create(f, f->init, 60, &a), OK);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(fake_derive(f, i % 3 || !i ? a : got[i - 1], VA, 1, RIGHTS_SPACE, &got[i]),
                         OK);
    assert_int_equal(fake_audit(f), 0);
    for (unsigned i = 0; i < 512; i++)
        fake_drop(f, &got[i * 37 % 512]);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
    assert_int_equal(f->vm.state->n_free, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_derive_never_widens),
        FAKE_TEST(test_window_bounds),
        FAKE_TEST(test_drop_passes_children_on),
        FAKE_TEST(test_last_reference),
        FAKE_TEST(test_many_grants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Device memory: the space of it, windows of it in other spaces, and clones, which leave it out.
#include "servers/vmm/core/device.h"

#include "servers/vmm/core/audit.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/table.h"
#include "test/unit/fake/vmm/fake.h"
#include "test/unit/fake/vmm/kernel.h"
#include "test/unit/fake/vmm/walker.h"

#define VA     0x400000ull
#define CLOCK  0xfed00000ull // what lies there does not matter: the fake machine has no devices
#define SCREEN 0x80000000ull
#define GIB    (1ull << 30)
#define RW     (PROT_R | PROT_W)
#define FOUND  (PAGE_MAPPED | PAGE_SHARED | PAGE_DEVICE)

static struct fake_cap new_space(struct fake *f)
{
    struct fake_cap a;
    assert_int_equal(fake_create(f, f->init, 0, &a), OK);
    return a;
}

// What QUERY says: attributes and address.
static void expect_page(struct fake *f, struct fake_cap a, vaddr_t va, uint64_t attributes,
                        paddr_t frame)
{
    uint64_t answer[MESSAGE_WORDS];
    assert_int_equal(fake_query(f, a, va, answer), OK);
    assert_int_equal(answer[3], attributes);
    assert_int_equal(answer[3] ? answer[4] + (va - answer[1]) : 0, frame);
}

// What the MMU does: no fault, that address.
static void expect_access(struct fake *f, struct fake_cap a, vaddr_t va, enum walk_access access,
                          paddr_t wanted)
{
    struct walk w = walk_user(f->memory, fake_root(f, a), f->info.levels, va, access);
    assert_true(w.is_allowed);
    assert_int_equal(w.address, wanted);
}

static bool is_allowed(struct fake *f, struct fake_cap a, vaddr_t va, enum walk_access access)
{
    return walk_user(f->memory, fake_root(f, a), f->info.levels, va, access).is_allowed;
}

static pte_t entry_at(struct fake *f, struct fake_cap a, vaddr_t va)
{
    return pt_find(&f->vm, space_of(&f->vm, fake_space(f, a))->root, va >> PAGE_SHIFT).pte;
}

// Each frame at its own address, where boot_info has no RAM; as large as it goes.
static void test_the_space_of_devices(void **state)
{
    struct fake *f = *state;
    const struct space *s = space_of(&f->vm, fake_space(f, f->devices));
    struct pt_count count = {0, 0, 0};
    expect_page(f, f->devices, 156 << 12, RW | FOUND, 156 << 12); // a hole between RAM
    expect_page(f, f->devices, 16 << 20, RW | FOUND | PAGE_2M, 16 << 20);
    expect_page(f, f->devices, CLOCK + 0x123, RW | FOUND | PAGE_1G, CLOCK + 0x123);
    expect_page(f, f->devices, 4 * GIB - 1, RW | FOUND | PAGE_1G, 4 * GIB - 1);
    expect_page(f, f->devices, 0, 0, 0);
    expect_page(f, f->devices, 155 << 12, 0, 0);
    expect_page(f, f->devices, 256 << 12, 0, 0);
    expect_page(f, f->devices, 4 * GIB, 0, 0);
    vmm_begin(&f->vm);
    assert_true(pt_count(&f->vm, s->root, &count));
    assert_int_equal(count.pages, 0); // no frame of RAM is in it
    assert_int_equal(count.tables, f->info.levels);
}

// The page of the CPU's interrupt controller is where boot mapped it for the kernel.
static void test_not_the_kernels_own(void **state)
{
    (void)state;
    struct fake *f = fake_make((struct fake_config){4, 16, 7});
    const uint64_t lapic = 0xfee00000, kernel = f->info.vmm_root + 511 * 8;
    uint64_t *pdpt =
        (uint64_t *)(void *)(f->memory + (*(uint64_t *)(void *)(f->memory + kernel) & PTE_ADDR));
    pdpt[511] = 14ull << 12 | PTE_P | PTE_W; // the frames 14 and 15 are nobody's
    ((uint64_t *)(void *)(f->memory + (14 << 12)))[0] = 15ull << 12 | PTE_P | PTE_W;
    ((uint64_t *)(void *)(f->memory + (15 << 12)))[0] = lapic | PTE_P | PTE_W | PTE_NX | PTE_CD;
    assert_int_equal(vmm_start(&f->vm, &f->info, &kernel_ports, f), OK);
    assert_int_equal(vmm_start_init(&f->vm, &f->info), OK);
    pfn_t root = PFN_NONE;
    for (record_t id = f->vm.state->spaces; id; id = space_of(&f->vm, id)->next)
        if (frame_of(&f->vm, space_of(&f->vm, id)->root)->flags & FRAME_DEVICE)
            root = space_of(&f->vm, id)->root;
    assert_true(root.n != 0);
    assert_true(pte_is_empty(pt_find(&f->vm, root, lapic >> PAGE_SHIFT).pte));
    assert_true(pte_is_device(pt_find(&f->vm, root, (lapic >> PAGE_SHIFT) - 1).pte));
    assert_true(pte_is_device(pt_find(&f->vm, root, (lapic >> PAGE_SHIFT) + 1).pte));
    assert_int_equal(fake_audit(f), 0);
    fake_free(f);
}

// Uncached, never executable, charged to nobody; writable as far as the capability is, which no later
// request exceeds.
static void test_a_window(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), clock, reader;
    assert_int_equal(fake_derive(f, f->devices, CLOCK, 2, DEVICE_RIGHTS, &clock), OK);
    assert_int_equal(fake_derive(f, clock, CLOCK, 1, RIGHT_READ | RIGHT_SHARE, &reader), OK);
    uint64_t before = f->vm.state->n_free;
    assert_int_equal(fake_share(f, clock, CLOCK, 2, a, VA, RW), OK);
    assert_int_equal(before - f->vm.state->n_free, f->info.levels - 1);
    expect_page(f, a, VA + 0x1004, RW | FOUND, CLOCK + 0x1004);
    expect_access(f, a, VA + 0x1004, WALK_WRITE, CLOCK + 0x1004);
    pte_t e = entry_at(f, a, VA);
    assert_true(e.bits & PTE_CD && e.bits & PTE_WT && e.bits & PTE_NX);
    assert_int_equal(fake_protect(f, a, VA, 1, PROT_R), OK);
    assert_false(is_allowed(f, a, VA, WALK_WRITE));
    assert_int_equal(fake_write(f, a, VA, 1), E_FAULT);
    assert_int_equal(fake_protect(f, a, VA, 2, 0), OK);
    assert_false(is_allowed(f, a, VA, WALK_READ));
    assert_int_equal(fake_protect(f, a, VA, 2, RW), OK);
    expect_access(f, a, VA, WALK_WRITE, CLOCK);
    assert_int_equal(entry_at(f, a, VA).bits, e.bits);
    assert_int_equal(fake_protect(f, a, VA, 1, PROT_R | PROT_X), E_RIGHT);
    assert_int_equal(fake_share(f, reader, CLOCK, 1, a, VA + 0x4000, RW), E_RIGHT);
    assert_int_equal(fake_share(f, reader, CLOCK, 1, a, VA + 0x4000, PROT_R), OK);
    assert_int_equal(fake_protect(f, a, VA + 0x4000, 1, RW), E_RIGHT);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, a, VA, 5), OK);
    assert_int_equal(f->vm.state->n_free, before);
    fake_drop(f, &reader);
    fake_drop(f, &clock);
    fake_drop(f, &a);
}

// C10: it is not taken from where it is, and not made executable on the way.
static void test_what_is_refused(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), none;
    uint64_t sum = fake_sum(f);
    assert_int_equal(fake_move(f, f->devices, CLOCK, 1, a, VA, RW), E_RIGHT);
    assert_int_equal(fake_unmap(f, f->devices, CLOCK, 1), E_RIGHT);
    assert_int_equal(fake_clone(f, f->devices, CLONE_COW, 0, &none), E_RIGHT);
    assert_int_equal(fake_share(f, f->devices, CLOCK, 1, a, VA, PROT_R | PROT_X), E_RIGHT);
    assert_int_equal(fake_share(f, f->devices, 4 * GIB - PAGE_SIZE, 2, a, VA, RW), E_FAULT);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_share(f, f->devices, CLOCK, 1, a, VA, RW), OK);
    sum = fake_sum(f);
    assert_int_equal(fake_move(f, a, VA, 1, a, VA + 0x2000, RW), E_RIGHT);
    assert_int_equal(fake_share(f, a, VA, 1, a, VA + 0x2000, PROT_R | PROT_X), E_RIGHT);
    assert_true(fake_sum(f) == sum);
    assert_int_equal(fake_share(f, a, VA, 1, a, VA + 0x2000, RW), OK); // on and on
    expect_access(f, a, VA + 0x2000, WALK_WRITE, CLOCK);
    fake_drop(f, &a);
}

// Large windows are split like any page.
static void test_large_windows(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f);
    assert_int_equal(fake_share(f, f->devices, SCREEN, 1024, a, GIB, RW), OK);
    expect_page(f, a, GIB + 0x3000, RW | FOUND | PAGE_2M, SCREEN + 0x3000);
    assert_int_equal(fake_share(f, f->devices, SCREEN, 1 << 18, a, 4 * GIB, RW), OK);
    expect_page(f, a, 4 * GIB + 0x3000, RW | FOUND | PAGE_1G, SCREEN + 0x3000);
    assert_int_equal(fake_unmap(f, a, GIB + 0x5000, 1), OK);
    expect_page(f, a, GIB + 0x4000, RW | FOUND, SCREEN + 0x4000);
    expect_page(f, a, GIB + 0x5000, 0, 0);
    assert_int_equal(fake_protect(f, a, 4 * GIB + 0x5000, 1, PROT_R), OK);
    expect_page(f, a, 4 * GIB + 0x5000, PROT_R | FOUND, SCREEN + 0x5000);
    expect_access(f, a, 4 * GIB + 0x203000, WALK_WRITE, SCREEN + 0x203000);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &a);
}

static status_t snapshot(struct fake *f, struct fake_cap a, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0)};
    return fake_call(f, a, words, NULL, got, NULL);
}

static uint64_t diff_pages(struct fake *f, struct fake_cap a, struct fake_cap b)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_DIFF, 0)};
    uint64_t answer[MESSAGE_WORDS];
    assert_int_equal(fake_call(f, a, words, &b, NULL, answer), OK);
    return answer[2];
}

// Two pages, devices beside them and far from them.
static struct fake_cap mixed_space(struct fake *f)
{
    struct fake_cap a = new_space(f);
    assert_int_equal(fake_map(f, a, VA, 2, RW, 0), OK);
    assert_int_equal(fake_share(f, f->devices, CLOCK, 2, a, VA + 0x2000, RW), OK);
    assert_int_equal(fake_share(f, f->devices, SCREEN, 512, a, 8 * GIB, RW), OK);
    assert_int_equal(fake_map(f, a, 8 * GIB + 0x200000, 512, RW, MAP_LAZY | MAP_2M), OK);
    assert_int_equal(fake_write(f, a, VA, 1), OK);
    return a;
}

// C11: a clone has the pages, lazy ranges and sizes of its original, and nothing of the devices.
static void test_clones_leave_it_out(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = mixed_space(f), c, d;
    for (unsigned mode = CLONE_COPY; mode <= CLONE_COW; mode++) {
        uint8_t byte = 0;
        assert_int_equal(fake_clone(f, a, mode, 0, &c), OK);
        assert_int_equal(fake_audit(f), 0);
        expect_page(f, c, VA + 0x2000, 0, 0);
        expect_page(f, c, 8 * GIB, 0, 0);
        expect_access(f, a, VA + 0x2000, WALK_WRITE, CLOCK); // no fault
        expect_access(f, a, 8 * GIB, WALK_WRITE, SCREEN);
        assert_false(is_allowed(f, a, VA, WALK_WRITE)); // the page beside it is copy-on-write
        assert_int_equal(fake_write(f, c, VA, 2), OK);
        assert_int_equal(fake_write(f, c, 8 * GIB + 0x200000, 3), OK);
        assert_int_equal(fake_read(f, a, VA, &byte), OK);
        assert_int_equal(byte, 1);
        assert_int_equal(fake_clone(f, c, mode, 0, &d), OK); // of a clone
        assert_int_equal(fake_share(f, f->devices, CLOCK, 1, c, VA + 0x2000, RW), OK);
        assert_int_equal(fake_audit(f), 0);
        expect_page(f, d, VA + 0x2000, 0, 0);
        fake_drop(f, &d);
        fake_drop(f, &c);
        assert_int_equal(fake_write(f, a, VA, 1), OK);
    }
    assert_int_equal(fake_unmap(f, a, VA, 2), OK); // the clone of a table of devices alone is none
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &c), OK);
    expect_page(f, c, VA, 0, 0);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &c);
    fake_drop(f, &a);
}

// A snapshot has none; what differs by devices alone does not differ.
static void test_snapshots_leave_it_out(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = mixed_space(f), s;
    assert_int_equal(snapshot(f, a, &s), OK);
    expect_page(f, s, VA + 0x2000, 0, 0);
    assert_int_equal(diff_pages(f, a, s), 0);
    assert_int_equal(fake_write(f, a, VA + 0x1000, 9), OK);
    assert_int_equal(diff_pages(f, a, s), 1);
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_ROLLBACK, 0)};
    assert_int_equal(fake_call(f, a, words, &s, NULL, NULL), OK);
    expect_page(f, a, VA + 0x2000, 0, 0);
    assert_int_equal(diff_pages(f, a, s), 0);
    assert_int_equal(fake_audit(f), 0);
    fake_drop(f, &s);
    fake_drop(f, &a);
}

// C12: each allocation of a clone fails once, and nothing has changed.
static void test_clone_without_memory(void **state)
{
    struct fake *f = *state;
    for (unsigned mode = CLONE_COPY; mode <= CLONE_COW; mode++) {
        struct fake_cap a = mixed_space(f), c;
        status_t status;
        unsigned k = 0;
        do {
            fake_starve(f, k++);
            uint64_t sum = fake_sum(f);
            status = fake_clone(f, a, mode, 0, &c);
            assert_true(status == OK || (status == E_NOMEM && fake_sum(f) == sum));
            fake_feed(f);
            assert_int_equal(fake_audit(f), 0);
        } while (status != OK);
        assert_true(k > 5);
        fake_drop(f, &c);
        fake_drop(f, &a);
    }
}

#define EXPECT_ERROR(f, field, value)             \
    do {                                          \
        __auto_type old = (field);                \
        (field) = (value);                        \
        assert_int_not_equal(audit(&(f)->vm), 0); \
        (field) = old;                            \
        assert_int_equal(fake_audit(f), 0);       \
    } while (0)

static void test_the_audit_sees(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = mixed_space(f);
    pfn_t root = space_of(&f->vm, fake_space(f, a))->root, table = root;
    for (unsigned level = f->info.levels; level > 1; level--)
        table = frame_number(
            pte_address(table_load(&f->vm, table, table_index(VA >> PAGE_SHIFT, level))));
    pte_t *leaf = &table_entries(&f->vm, table)[2];
    const uint64_t bits = leaf->bits;
    assert_true(pte_is_device(*leaf));
    EXPECT_ERROR(f, leaf->bits, bits & ~PTE_CD);
    EXPECT_ERROR(f, leaf->bits, bits & ~PTE_NX);
    EXPECT_ERROR(f, leaf->bits, bits & ~PTE_SHARED);
    EXPECT_ERROR(f, leaf->bits, bits & ~PTE_MAX);
    EXPECT_ERROR(f, leaf->bits, bits | (uint64_t)PROT_X << PTE_MAX_SHIFT);
    EXPECT_ERROR(f, leaf->bits, (bits & ~PTE_ADDR) | frame_address(root)); // RAM
    EXPECT_ERROR(f, frame_of(&f->vm, table)->flags, 0);
    EXPECT_ERROR(f, frame_of(&f->vm, root)->flags, 0);
    fake_drop(f, &a);
}

// Windows in so many tables that to leave them out of a clone takes too long: it is refused.
static void test_too_much_to_leave_out(void **state)
{
    struct fake *f = *state;
    struct fake_cap a = new_space(f), clone;
    const uint64_t snapshot[MESSAGE_WORDS] = {vmm_word0(VMM_SNAPSHOT, 0)};
    unsigned n = STEP_WORK / 13;
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(fake_share(f, f->devices, CLOCK, 1, a, i * (512 * PAGE_SIZE), RW), OK);
    for (unsigned mode = CLONE_COPY; mode <= CLONE_COW; mode++)
        assert_int_equal(fake_clone(f, a, mode, 0, &clone), E_LIMIT);
    assert_int_equal(fake_call(f, a, snapshot, NULL, &clone, NULL), E_LIMIT);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(fake_unmap(f, a, 0, n / 2 * 512), OK);
    assert_int_equal(fake_clone(f, a, CLONE_COW, 0, &clone), OK);
    fake_drop(f, &clone);
    fake_drop(f, &a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAKE_TEST(test_too_much_to_leave_out),
        FAKE_TEST(test_the_space_of_devices),
        cmocka_unit_test(test_not_the_kernels_own),
        FAKE_TEST(test_a_window),
        FAKE_TEST(test_what_is_refused),
        FAKE_TEST(test_large_windows),
        FAKE_TEST(test_clones_leave_it_out),
        FAKE_TEST(test_snapshots_leave_it_out),
        FAKE_TEST(test_clone_without_memory),
        FAKE_TEST(test_the_audit_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// From boot_info to a running system.
#include "servers/vmm/core/start.h"

#include <string.h>

#include "arch/layout.h"
#include "arch/pte.h"
#include "servers/vmm/core/account.h"
#include "servers/vmm/core/block.h"
#include "test/unit/fake/vmm/kernel.h"

static void expect_start(struct fake *f, status_t wanted)
{
    struct vmm vm;
    assert_int_equal(vmm_start(&vm, &f->info, &kernel_ports, f), wanted);
    fake_free(f);
}

static struct fake *make(uint64_t mib)
{
    return fake_make((struct fake_config){4, mib, 7});
}

static void test_bad_boot_info(void **state)
{
    (void)state;
    struct fake *f = make(16);
    f->info.magic++;
    expect_start(f, E_VERSION);
    f = make(16);
    f->info.version++;
    expect_start(f, E_VERSION);
    f = make(16);
    f->info.levels = 3;
    expect_start(f, E_FORMAT);
    f = make(16);
    f->info.n_ranges = BOOT_RANGES_MAX + 1;
    expect_start(f, E_FORMAT);
    f = make(16);
    f->info.physical_memory_offset = 0;
    expect_start(f, E_NOPHYSMAP);
    f = make(16);
    f->info.n_ranges -= 2;
    expect_start(f, E_NOREGION);
    f = make(16);
    f->info.ranges[2].start = ~0ull - 0xfff;
    expect_start(f, E_OVERFLOW);
    f = make(16);
    f->info.vmm_root = 1ull << 40;
    expect_start(f, E_FORMAT);
    f = make(16);
    memset(f->memory + f->info.vmm_root, 0, PAGE_SIZE);
    expect_start(f, E_FORMAT); // no window
    f = make(16);
    f->info.ranges[f->info.n_ranges - 1].frames = 4; // the heap cannot hold the frame table
    f->info.ranges[f->info.n_ranges - 2].frames = 4;
    expect_start(f, E_NOMEM);
}

// Tables that cannot be boot's: large pages, frames that are not there, in the window's path and in it.
static void test_bad_tables(void **state)
{
    static const uint64_t bad[] = {PTE_P | PTE_PS, PTE_P | 1ull << 45};
    (void)state;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned level = 4; level >= 2; level--) {
            struct fake *f = make(16);
            uint64_t table = f->info.vmm_root;
            for (unsigned l = 4; l > level; l--)
                table = *(uint64_t *)(void *)(f->memory + table +
                                              (OBJECT_WINDOW >> (12 + 9 * (l - 1)) & 511) * 8) &
                        PTE_ADDR;
            *(uint64_t *)(void *)(f->memory + table +
                                  (OBJECT_WINDOW >> (12 + 9 * (level - 1)) & 511) * 8) = bad[i];
            expect_start(f, E_FORMAT);
        }
}

static void test_odd_ranges(void **state)
{
    (void)state;
    struct fake *f = make(16);
    f->info.page_sizes = 6; // no 4 KiB
    expect_start(f, E_FORMAT);
    f = make(16); // the largest region lies where frames cannot be numbered
    f->info.ranges[f->info.n_ranges++] = (struct boot_range){1ull << 39, 1 << 20, MEMORY_USABLE};
    expect_start(f, E_NOMEM);
    f = make(16);
    f->info.ranges[f->info.n_ranges++] = (struct boot_range){1ull << 30, 9, MEMORY_ACPI};
    f->info.ranges[f->info.n_ranges++] = (struct boot_range){1ull << 31, 9, MEMORY_KINDS};
    assert_int_equal(vmm_start(&f->vm, &f->info, &kernel_ports, f), OK);
    assert_true(f->vm.state->n_frames <= 4096);
    fake_free(f);
}

static void expect_init(struct fake *f, status_t wanted)
{
    assert_int_equal(vmm_start(&f->vm, &f->info, &kernel_ports, f), OK);
    assert_int_equal(vmm_start_init(&f->vm, &f->info), wanted);
    fake_free(f);
}

static void test_bad_init_and_modules(void **state)
{
    (void)state;
    struct fake *f = make(16);
    f->info.directory = f->info.vmm_root;
    expect_init(f, E_FORMAT);
    f = make(16);
    struct module_directory *d = (struct module_directory *)(void *)(f->memory + f->info.directory);
    d->modules[0].n_pages = 100;
    expect_init(f, E_FORMAT);
    f = make(16);
    d = (struct module_directory *)(void *)(f->memory + f->info.directory);
    d->modules[1].start = ~0ull << 12;
    expect_init(f, E_FORMAT);
    f = make(16);
    d = (struct module_directory *)(void *)(f->memory + f->info.directory);
    d->n_modules = MODULES_MAX + 9; // those that there are, the others are empty
    expect_init(f, OK);
    // What init's entries at the top and at the second level may not point to.
    for (unsigned i = 0; i < 6; i++) {
        f = make(16);
        const uint64_t bad[] = {f->info.vmm_root | 7, 1ull << 45 | 7, f->info.init_root | 0x87};
        uint64_t *entry = (uint64_t *)(void *)(f->memory + f->info.init_root);
        if (i >= 3)
            entry = (uint64_t *)(void *)(f->memory + (entry[0] & PTE_ADDR));
        entry[0] = bad[i % 3];
        expect_init(f, E_FORMAT);
    }
    f = make(16); // the same page twice
    uint64_t table = f->info.init_root;
    for (unsigned i = 0; i < 3; i++)
        table = ((uint64_t *)(void *)(f->memory + table))[i == 2 ? 2 : 0] & PTE_ADDR;
    uint64_t *entries = (uint64_t *)(void *)(f->memory + table);
    entries[2] = entries[0];
    expect_init(f, E_FORMAT);
}

// Init cannot be started for want of a frame or of a call to the kernel.
static void test_init_fails(void **state)
{
    (void)state;
    status_t status = E_NOMEM;
    for (unsigned n = 0; status == E_NOMEM; n++) {
        struct fake *f = make(16);
        assert_int_equal(vmm_start(&f->vm, &f->info, &kernel_ports, f), OK);
        fake_starve(f, n);
        status = vmm_start_init(&f->vm, &f->info);
        fake_free(f);
    }
    assert_int_equal(status, OK);
    status = E_LIMIT;
    for (unsigned n = 1; status == E_LIMIT; n++) {
        struct fake *f = make(16);
        assert_int_equal(vmm_start(&f->vm, &f->info, &kernel_ports, f), OK);
        f->fail_call = n;
        status = vmm_start_init(&f->vm, &f->info);
        assert_int_equal(status == OK, f->fail_call != 0);
        fake_free(f);
    }
    assert_int_equal(status, OK);
}

// Conservation at boot, and the modules as init finds them.
static void test_what_init_finds(void **state)
{
    struct fake *f = *state;
    const struct state *s = f->vm.state;
    uint64_t words[MESSAGE_WORDS], n_ram = 0;
    uint8_t byte;
    for (unsigned i = 0; i < f->info.n_ranges; i++)
        if (f->info.ranges[i].kind != MEMORY_RESERVED)
            n_ram += f->info.ranges[i].frames;
    assert_int_equal(s->n_boot, n_ram);
    assert_int_equal(s->n_free + s->n_charged + s->n_reserved, n_ram);
    assert_int_equal(fake_query(f, f->modules, MODULES_VA, words), OK);
    assert_int_equal(words[3], PROT_R | PAGE_MAPPED);
    assert_int_equal(words[4], f->info.directory);
    assert_int_equal(fake_read(f, f->modules, MODULES_VA + 0x1003, &byte), OK);
    assert_int_equal(byte, 'u');
    assert_int_equal(fake_read(f, f->modules, MODULES_VA + 0x5000, &byte), OK);
    assert_int_equal(fake_read(f, f->modules, MODULES_VA + 0x6000, &byte), E_FAULT);
    assert_int_equal(fake_map(f, f->modules, 0x1000, 1, PROT_R, 0), E_RIGHT);
    assert_int_equal(fake_share(f, f->modules, MODULES_VA, 1, f->init, 0x8000000, PROT_R), OK);
    assert_int_equal(fake_protect(f, f->init, 0x8000000, 1, PROT_R | PROT_W), E_RIGHT);
    assert_int_equal(fake_unmap(f, f->init, 0x8000000, 1), OK);
}

// The modules' memory is free once nobody has a capability to it; a module that no directory names
// is free at once.
static void test_modules_go(void **state)
{
    struct fake *f = *state;
    uint64_t before = f->vm.state->n_free;
    for (unsigned i = 2; i < FAKE_OBJECTS; i++)
        if (f->objects[i].kind == KERNEL_TASK)
            kernel_drop(f, &f->objects[i].slots[TASK_SLOT_PARENT]);
    fake_drop(f, &f->modules);
    assert_int_equal(f->vm.state->n_free - before, 6 + f->info.levels);
    f->n_free = f->vm.state->n_free;
    struct fake *other = make(16);
    struct module_directory *d =
        (struct module_directory *)(void *)(other->memory + other->info.directory);
    d->n_modules = 1;
    assert_int_equal(vmm_start(&other->vm, &other->info, &kernel_ports, other), OK);
    assert_int_equal(vmm_start_init(&other->vm, &other->info), OK);
    assert_int_equal(fake_audit(other), 0);
    assert_true(block_is_free(&other->vm, (pfn_t){41}));
    fake_free(other);
}

// Frame 0 is never used, even where boot says that it is free.
static void test_frame_0_is_none(void **state)
{
    (void)state;
    struct fake *f = make(16);
    f->info.ranges[0].kind = MEMORY_USABLE;
    assert_int_equal(vmm_start(&f->vm, &f->info, &kernel_ports, f), OK);
    assert_int_equal(vmm_start_init(&f->vm, &f->info), OK);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(frame_of(&f->vm, PFN_NONE)->kind, FRAME_ABSENT);
    fake_free(f);
}

// From 16 MiB to 8 GiB (F6): the books are right.
static void test_sizes_of_memory(void **state)
{
    const uint64_t sizes[] = {3, 16, 100, 1024, 8192};
    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint32_t levels = 4; levels <= 5; levels++)
            fake_end(fake_boot((struct fake_config){levels, sizes[i], 3}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_boot_info),
        cmocka_unit_test(test_bad_init_and_modules),
        cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_odd_ranges),
        cmocka_unit_test(test_init_fails),
        FAKE_TEST(test_what_init_finds),
        FAKE_TEST(test_modules_go),
        cmocka_unit_test(test_frame_0_is_none),
        cmocka_unit_test(test_sizes_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

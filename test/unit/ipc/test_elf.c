// SPDX-License-Identifier: MIT
// ELF images, good ones and broken ones. Each is opened in a buffer of its very size, so that the
// sanitizer sees a read beyond it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>

#include "ipc/elf.h"
#include "ipc/vmm_protocol.h"

#define USER_END   0x00007ffffffff000ull
#define FILE_BYTES 0x4000u

struct file {
    Elf64_Ehdr header;
    Elf64_Phdr segments[12];
    unsigned char rest[FILE_BYTES - sizeof(Elf64_Ehdr) - 12 * sizeof(Elf64_Phdr)];
};

_Static_assert(sizeof(struct file) == FILE_BYTES, "no padding");

static struct file file;
static struct elf elf;

static void set_segment(int i, uint32_t flags, uint64_t offset, uint64_t va, uint64_t file_bytes,
                        uint64_t memory_bytes)
{
    file.segments[i] = (Elf64_Phdr){.p_type = PT_LOAD,
                                    .p_flags = flags,
                                    .p_offset = offset,
                                    .p_vaddr = va,
                                    .p_filesz = file_bytes,
                                    .p_memsz = memory_bytes,
                                    .p_align = PAGE_SIZE};
}

// text r-x, rodata r--, data rw- with a .bss; and a segment that is none to load.
static void build(void)
{
    memset(&file, 0, sizeof(file));
    file.header =
        (Elf64_Ehdr){.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                     .e_type = ET_EXEC,
                     .e_machine = EM_X86_64,
                     .e_version = EV_CURRENT,
                     .e_entry = 0x400010,
                     .e_phoff = offsetof(struct file, segments),
                     .e_ehsize = sizeof(Elf64_Ehdr),
                     .e_phentsize = sizeof(Elf64_Phdr),
                     .e_phnum = 4};
    set_segment(0, PF_R | PF_X, 0x1000, 0x400000, 0x800, 0x800);
    file.segments[1] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X};
    set_segment(2, PF_R, 0x2000, 0x401000, 0x1000, 0x1000);
    set_segment(3, PF_R | PF_W, 0x3008, 0x402008, 0xff8, 0x5000);
    memset(&elf, 0x5a, sizeof(elf));
}

static status_t open_bytes(uint64_t len)
{
    unsigned char *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, &file, len);
    status_t status = elf_open(exact, len, USER_END, &elf);
    free(exact);
    return status;
}

static void expect(status_t wanted)
{
    struct elf before = elf;
    assert_int_equal(open_bytes(sizeof(file)), wanted);
    if (wanted != OK)
        assert_memory_equal(&elf, &before, sizeof(elf));
}

#define BROKEN(change, status) \
    do {                       \
        build();               \
        change;                \
        expect(status);        \
    } while (0)

static void test_good_file(void **state)
{
    (void)state;
    build();
    expect(OK);
    assert_int_equal(elf.entry, 0x400010);
    assert_int_equal(elf.n_segments, 3);
    assert_int_equal(elf.segments[0].va, 0x400000);
    assert_int_equal(elf.segments[0].file_offset, 0x1000);
    assert_int_equal(elf.segments[0].prot, PROT_R | PROT_X);
    assert_int_equal(elf.segments[1].prot, PROT_R);
    assert_int_equal(elf.segments[2].va, 0x402008);
    assert_int_equal(elf.segments[2].file_offset, 0x3008);
    assert_int_equal(elf.segments[2].file_bytes, 0xff8);
    assert_int_equal(elf.segments[2].memory_bytes, 0x5000);
    assert_int_equal(elf.segments[2].prot, PROT_R | PROT_W);
}

static void test_unaligned_image(void **state)
{
    (void)state;
    build();
    unsigned char *odd = malloc(sizeof(file) + 1);
    assert_non_null(odd);
    memcpy(odd + 1, &file, sizeof(file));
    assert_int_equal(elf_open(odd + 1, sizeof(file), USER_END, &elf), OK);
    free(odd);
}

static void test_every_truncation(void **state)
{
    (void)state;
    build();
    for (uint64_t len = 0; len < sizeof(file); len++)
        assert_int_equal(open_bytes(len), E_FORMAT);
}

static void test_header(void **state)
{
    (void)state;
    for (size_t i = 0; i <= EI_VERSION; i++)
        BROKEN(file.header.e_ident[i] ^= 3, E_FORMAT);
    BROKEN(file.header.e_ident[EI_OSABI] = ELFOSABI_GNU, OK);
    BROKEN(file.header.e_type = ET_DYN, E_FORMAT);
    BROKEN(file.header.e_type = ET_REL, E_FORMAT);
    BROKEN(file.header.e_machine = EM_386, E_FORMAT);
    BROKEN(file.header.e_version = 2, E_FORMAT);
    BROKEN(file.header.e_phentsize = sizeof(Elf64_Phdr) - 1, E_FORMAT);
    BROKEN(file.header.e_phentsize = 0, E_FORMAT);
}

static void test_program_header_table(void **state)
{
    (void)state;
    BROKEN(file.header.e_phnum = 0, E_FORMAT);
    BROKEN(file.header.e_phnum = UINT16_MAX, E_FORMAT);
    BROKEN(file.header.e_phoff = sizeof(file), E_FORMAT);
    BROKEN(file.header.e_phoff = sizeof(file) - 1, E_FORMAT);
    BROKEN(file.header.e_phoff = UINT64_MAX, E_FORMAT);
    BROKEN(file.header.e_phoff = UINT64_MAX - 4 * sizeof(Elf64_Phdr) + 1, E_FORMAT);
    BROKEN(file.segments[0].p_type = file.segments[2].p_type = file.segments[3].p_type = PT_NOTE,
           E_FORMAT);
    BROKEN(file.segments[1].p_type = PT_INTERP, E_FORMAT);
}

static void test_table_at_the_very_end(void **state)
{
    (void)state;
    build();
    uint64_t at = sizeof(file) - 4 * sizeof(Elf64_Phdr);
    memcpy((unsigned char *)&file + at, file.segments, 4 * sizeof(Elf64_Phdr));
    file.header.e_phoff = at;
    expect(OK);
    build();
    file.header.e_phoff = at + 1;
    expect(E_FORMAT);
}

static void test_segment_in_file(void **state)
{
    (void)state;
    BROKEN(file.segments[2].p_offset = sizeof(file) - 0x1000, OK);
    BROKEN(file.segments[2].p_offset = sizeof(file) - 0xfff, E_FORMAT);
    BROKEN(file.segments[2].p_offset = UINT64_MAX, E_FORMAT);
    BROKEN(file.segments[2].p_offset = UINT64_MAX - 0xfff, E_FORMAT);
    BROKEN(file.segments[2].p_filesz = UINT64_MAX, E_FORMAT);
    BROKEN(file.segments[2].p_filesz = 0x1001, E_FORMAT); // more than in memory
    BROKEN(file.segments[2].p_filesz = 0, OK);
}

static void test_segment_in_memory(void **state)
{
    (void)state;
    BROKEN((file.segments[0].p_vaddr = 0, file.header.e_entry = 0x10), E_FORMAT);
    BROKEN((file.segments[0].p_vaddr = 0xfff, file.header.e_entry = 0x1000), E_FORMAT);
    BROKEN((file.segments[0].p_vaddr = 0x1000, file.header.e_entry = 0x1000), OK);
    BROKEN(file.segments[3].p_vaddr = USER_END - 0x5000, OK);
    BROKEN(file.segments[3].p_vaddr = USER_END - 0x4fff, E_FORMAT);
    BROKEN(file.segments[3].p_vaddr = USER_END, E_FORMAT);
    BROKEN(file.segments[3].p_vaddr = 0xffffffff80000000ull, E_FORMAT);
    BROKEN(file.segments[3].p_vaddr = UINT64_MAX, E_FORMAT);
    BROKEN(file.segments[3].p_memsz = UINT64_MAX, E_FORMAT);
    BROKEN(file.segments[3].p_memsz = 0ull - 0x402008, E_FORMAT);
}

static void test_order_and_overlap(void **state)
{
    (void)state;
    BROKEN(file.segments[2].p_vaddr = 0x400900, E_FORMAT); // shares a page with the text
    BROKEN(file.segments[2].p_vaddr = 0x3ff000, E_FORMAT); // descending
    BROKEN(file.segments[2].p_memsz = 0x1009, E_FORMAT);   // reaches into the data
    BROKEN(file.segments[2].p_memsz = 0x1001, E_FORMAT);   // reaches into the data's page
    BROKEN(file.segments[0].p_memsz = 0x1000, OK);         // ends where the next begins
    BROKEN(file.segments[0].p_memsz = 0x1001, E_FORMAT);
}

static void test_protection(void **state)
{
    (void)state;
    BROKEN(file.segments[0].p_flags = PF_R | PF_W | PF_X, E_WX);
    BROKEN(file.segments[0].p_flags = PF_W | PF_X, E_WX);
    BROKEN(file.segments[3].p_flags = PF_W, E_FORMAT);
    BROKEN(file.segments[0].p_flags = PF_X, E_FORMAT);
    BROKEN(file.segments[3].p_flags = 0, E_FORMAT);
    BROKEN(file.segments[2].p_flags = PF_R | 0x70000000, OK); // bits for the processor
}

static void test_empty_segment_is_skipped(void **state)
{
    (void)state;
    build();
    set_segment(2, PF_R | PF_W, 0, 0, 0, 0);
    expect(OK);
    assert_int_equal(elf.n_segments, 2);
    build();
    set_segment(2, PF_R | PF_W, 0, 0, 1, 0);
    expect(E_FORMAT);
}

static void test_segment_limit(void **state)
{
    (void)state;
    for (uint32_t n = ELF_SEGMENTS_MAX; n <= ELF_SEGMENTS_MAX + 1; n++) {
        build();
        for (uint32_t i = 0; i < n; i++)
            set_segment((int)i, PF_R | PF_X, 0x1000, 0x400000 + i * PAGE_SIZE, 16, 32);
        file.header.e_phnum = (uint16_t)n;
        expect(n == ELF_SEGMENTS_MAX ? OK : E_LIMIT);
    }
}

static void test_entry(void **state)
{
    (void)state;
    BROKEN(file.header.e_entry = 0x400000, OK);
    BROKEN(file.header.e_entry = 0x4007ff, OK);
    BROKEN(file.header.e_entry = 0x400800, E_FORMAT);
    BROKEN(file.header.e_entry = 0x3fffff, E_FORMAT);
    BROKEN(file.header.e_entry = 0, E_FORMAT);
    BROKEN(file.header.e_entry = 0x401000, E_FORMAT); // rodata
    BROKEN(file.header.e_entry = UINT64_MAX, E_FORMAT);
}

static void check_bounds(void)
{
    vaddr_t end = 0x1000;
    assert_in_range(elf.n_segments, 1, ELF_SEGMENTS_MAX);
    for (uint32_t i = 0; i < elf.n_segments; i++) {
        const struct elf_segment *s = &elf.segments[i];
        assert_true(s->va >= end && s->va < USER_END && s->memory_bytes <= USER_END - s->va);
        assert_true(s->memory_bytes >= 1 && s->file_bytes <= s->memory_bytes);
        assert_true(s->file_offset <= FILE_BYTES && s->file_bytes <= FILE_BYTES - s->file_offset);
        assert_true((s->prot & PROT_R) && (s->prot & (PROT_W | PROT_X)) != (PROT_W | PROT_X));
        end = (s->va + s->memory_bytes + PAGE_MASK) & ~PAGE_MASK;
    }
}

// Whatever one byte of the headers says instead, what is accepted keeps every promise.
static void test_every_header_byte_corrupted(void **state)
{
    (void)state;
    static const unsigned char values[] = {0x00, 0x01, 0x02, 0x05, 0x07, 0x10,
                                           0x40, 0x7f, 0x80, 0xf0, 0xff};
    uint32_t accepted = 0;
    for (size_t at = 0; at < offsetof(struct file, segments) + 4 * sizeof(Elf64_Phdr); at++) {
        for (size_t i = 0; i < sizeof(values); i++) {
            build();
            ((unsigned char *)&file)[at] = values[i];
            if (open_bytes(sizeof(file)) != OK)
                continue;
            check_bounds();
            accepted++;
        }
    }
    assert_true(accepted > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_file),
        cmocka_unit_test(test_unaligned_image),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_program_header_table),
        cmocka_unit_test(test_table_at_the_very_end),
        cmocka_unit_test(test_segment_in_file),
        cmocka_unit_test(test_segment_in_memory),
        cmocka_unit_test(test_order_and_overlap),
        cmocka_unit_test(test_protection),
        cmocka_unit_test(test_empty_segment_is_skipped),
        cmocka_unit_test(test_segment_limit),
        cmocka_unit_test(test_entry),
        cmocka_unit_test(test_every_header_byte_corrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

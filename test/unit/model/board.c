// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // mmap flags
#include "board.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/layout.h"
#include "servers/vmm/core/block.h"
#include "servers/vmm/core/space.h"

#define GLOBAL_WATCHED 32u

// Frames by number: what boot used, then the heap.
enum place { AT_NOTHING, AT_KERNEL, AT_ROOT, AT_TABLES };

// The kernel.

static status_t object_create(void *context, uint32_t index, enum kernel_object kind, uint32_t slot)
{
    (void)context, (void)index, (void)kind, (void)slot;
    return OK;
}

static status_t object_destroy(void *context, uint32_t index)
{
    (void)context, (void)index;
    return OK;
}

static status_t task_slots(void *context, uint32_t task, uint32_t index)
{
    (void)context, (void)task, (void)index;
    return OK;
}

static status_t portal_mint_(void *context, uint32_t portal, uint32_t endpoint, uint64_t badge,
                             uint32_t slot, uint64_t flags)
{
    struct board *b = context;
    (void)portal, (void)endpoint, (void)flags;
    if (slot == VMM_SLOT_ANSWER) {
        b->minted = badge;
        b->n_mints++;
    }
    return OK;
}

static status_t portals_revoke(void *context, uint32_t index, uint64_t low, uint64_t high)
{
    struct board *b = context;
    (void)index;
    b->n_killed += (uint64_t)__builtin_popcountll(low) + (uint64_t)__builtin_popcountll(high);
    return OK;
}

static void drop(void *context, uint32_t slot)
{
    (void)context, (void)slot;
}

static void flush(void *context, paddr_t root, vaddr_t va, uint64_t pages)
{
    struct board *b = context;
    tlb_flush(&b->tlb, root, va, pages);
}

static void log_line(void *context, const char *line)
{
    struct board *b = context;
    snprintf(b->log, sizeof b->log, "%s", line);
}

static void fail(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "the VMM fails: %s\n", line);
    abort();
}

// Without tasks and endpoints the VMM asks for nothing else.
static const struct ports board_ports = {
    .object_create = object_create,
    .object_destroy = object_destroy,
    .task_slots = task_slots,
    .portal_mint = portal_mint_,
    .portals_revoke = portals_revoke,
    .drop = drop,
    .flush = flush,
    .log = log_line,
    .fail = fail,
};

// What the TLB asks.

static bool is_root(void *context, paddr_t root)
{
    const struct board *b = context;
    const struct frame *f = frame_of(&b->vm, frame_number(root));
    // One without references waits to be freed: nobody runs there any more.
    return f->kind == FRAME_TABLE && f->level == b->vm.state->levels && f->refs;
}

static bool is_free(void *context, paddr_t address)
{
    const struct board *b = context;
    return block_is_free(&b->vm, frame_number(address));
}

// Boot.

static void add_range(struct boot_info *info, uint64_t first, uint64_t n, enum memory_kind kind)
{
    info->ranges[info->n_ranges++] = (struct boot_range){first << PAGE_SHIFT, (uint32_t)n, kind};
}

// The kernel's entry and the tables down to that of the object window's tables. Answers how many.
static unsigned make_tables(struct board *b, unsigned levels)
{
    unsigned n = 0;
    uint64_t frame = AT_ROOT;
    for (unsigned level = levels; level > 2; level--) {
        uint64_t *table = (uint64_t *)(void *)(b->memory.bytes + (frame << PAGE_SHIFT));
        frame = AT_TABLES + n++;
        table[OBJECT_WINDOW >> (PAGE_SHIFT + 9 * (level - 1)) & 511] =
            frame << PAGE_SHIFT | PTE_P | PTE_W | PTE_A;
    }
    return n;
}

static void watch(struct board *b, const struct universe *u, unsigned levels)
{
    struct tlb *t = &b->tlb;
    *t = (struct tlb){
        .memory = &b->memory,
        .levels = levels,
        .global_root = AT_ROOT << PAGE_SHIFT,
        .is_root = is_root,
        .is_free = is_free,
        .context = b,
    };
    for (unsigned i = 0; i < u->n; i++)
        t->user[t->n_user++] = plot_va(u, i);
    for (unsigned i = 0; i < u->n; i++)
        if (plot_pages(u, i) > 1)
            t->user[t->n_user++] = plot_va(u, i + 1) - PAGE_SIZE;
    for (unsigned i = 0; i < GLOBAL_WATCHED; i++)
        t->global[t->n_global++] = OBJECT_WINDOW + i * PAGE_SIZE;
}

void board_start(struct board *b, const struct universe *u, unsigned levels, uint64_t n_frames,
                 uint32_t page_sizes)
{
    uint64_t len = n_frames << PAGE_SHIFT;
    void *bytes =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(bytes != MAP_FAILED);
    // A page of 1 GiB is zeroed in a tenth of the time in large pages of the host's. It may say no.
    (void)madvise(bytes, len, MADV_HUGEPAGE);
    memset(b, 0, sizeof *b);
    b->memory = (struct memory){bytes, len};
    watch(b, u, levels);
    struct boot_info info = {
        .magic = BOOT_INFO_MAGIC,
        .version = BOOT_INFO_VERSION,
        .levels = levels,
        .physical_memory_offset = (uintptr_t)bytes,
        .vmm_root = AT_ROOT << PAGE_SHIFT,
        .page_sizes = page_sizes,
    };
    unsigned used = AT_TABLES + make_tables(b, levels);
    add_range(&info, AT_NOTHING, 1, MEMORY_RESERVED);
    add_range(&info, AT_KERNEL, used - AT_KERNEL, MEMORY_KERNEL);
    add_range(&info, used, n_frames - used, MEMORY_USABLE);
    status_t status = vmm_start(&b->vm, &info, &board_ports, b);
    assert(status == OK);
    (void)status;
}

void board_end(struct board *b)
{
    munmap(b->memory.bytes, b->memory.len);
}

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
    return sum ^ sum >> 32;
}

static uint64_t sum_table(const struct board *b, pfn_t table, unsigned level, uint64_t sum)
{
    const struct frame *f = frame_of(&b->vm, table);
    for (unsigned i = f->first; f->used && i <= f->last; i++) {
        pte_t e = ((const pte_t *)frame_at(&b->vm, table))[i];
        if (level == b->vm.state->levels)
            e.bits &=
                ~PTE_W; // a clone that could not be has cleared it, and the next fault sets it
        if (!pte_is_empty(e))
            sum = mix(mix(sum, i), e.bits);
        if (pte_is_table(e, level))
            sum = sum_table(b, frame_number(pte_address(e)), level - 1, sum);
    }
    return mix(sum, f->used);
}

uint64_t board_sum(const struct board *b)
{
    uint64_t sum = 1;
    for (record_t id = b->vm.state->spaces; id; id = space_of(&b->vm, id)->next)
        sum = sum_table(b, space_of(&b->vm, id)->root, b->vm.state->levels, mix(sum, id));
    return sum;
}

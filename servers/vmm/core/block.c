// SPDX-License-Identifier: MIT
#include "block.h"

// Stretches of a level: the head of the list of those with free blocks, then the stretches.
static uint32_t stretch_count(uint32_t n_frames, unsigned level)
{
    return (n_frames >> 9 * level) + 2;
}

uint64_t block_bytes(uint32_t n_frames)
{
    uint64_t n = 0;
    for (unsigned level = 1; level <= BLOCK_LEVELS; level++)
        n += stretch_count(n_frames, level);
    return n * sizeof(struct stretch);
}

void block_boot(struct vmm *vm, void *memory)
{
    struct stretch *next = memory;
    for (unsigned level = 1; level <= BLOCK_LEVELS; level++) {
        vm->stretches[level - 1] = next;
        next += stretch_count(vm->state->n_frames, level);
    }
}

static uint32_t stretch_number(pfn_t pfn, unsigned level)
{
    return (pfn.n >> 9 * level) + 1;
}

static void stretch_list(struct stretch *all, uint32_t number)
{
    all[number].prev = 0;
    all[number].next = all[0].next;
    all[all[0].next].prev = number;
    all[0].next = number;
}

static void stretch_unlist(struct stretch *all, uint32_t number)
{
    all[all[number].prev].next = all[number].next;
    all[all[number].next].prev = all[number].prev;
}

// Makes the records of a block's parts BODY where it was joined of free blocks: they still say so.
static void block_clean(struct vmm *vm, pfn_t pfn, unsigned level)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pfn_t part = {pfn.n + (i << level_order(level - 1))};
        // The first part shares its record with the whole.
        if (level > 2 && (!i || frame_of(vm, part)->flags & FRAME_JOINED))
            block_clean(vm, part, level - 1);
        *frame_of(vm, part) = (struct frame){.kind = FRAME_BODY};
    }
}

static struct frame free_record(unsigned level, pfn_t next, uint8_t flags)
{
    return (struct frame){
        .kind = FRAME_FREE, .order = (uint8_t)level_order(level), .flags = flags, .next = next};
}

static void stretch_push(struct vmm *vm, unsigned level, pfn_t pfn, uint8_t flags)
{
    struct stretch *s = &vm->stretches[level - 1][stretch_number(pfn, level)];
    *frame_of(vm, pfn) = free_record(level, s->free, flags);
    s->free = pfn;
}

// Takes a free block of the stretch, which has one.
static pfn_t stretch_take(struct vmm *vm, unsigned level, uint32_t number)
{
    struct stretch *all = vm->stretches[level - 1], *s = &all[number];
    pfn_t pfn = s->free;
    if (pfn.n) {
        s->free = frame_of(vm, pfn)->next;
    } else {
        pfn.n = (number - 1) << 9 * level | (PTE_ENTRIES - s->n_fresh) << level_order(level);
        s->n_fresh--;
    }
    if (!--s->n_free)
        stretch_unlist(all, number);
    return pfn;
}

rarely static void stretch_make(struct vmm *vm, unsigned level);

// A stretch with a free block, made of a larger block if need be. 0: there is none.
static uint32_t stretch_find(struct vmm *vm, unsigned level)
{
    const struct stretch *all = vm->stretches[level - 1];
    if (!all[0].next && level < BLOCK_LEVELS)
        stretch_make(vm, level);
    return all[0].next;
}

rarely static void stretch_make(struct vmm *vm, unsigned level)
{
    struct stretch *all = vm->stretches[level - 1];
    uint32_t above = stretch_find(vm, level + 1);
    if (!above)
        return;
    uint32_t number = stretch_number(stretch_take(vm, level + 1, above), level);
    all[number].n_free = all[number].n_fresh = PTE_ENTRIES;
    stretch_list(all, number);
}

at_once pfn_t block_take(struct vmm *vm, unsigned level)
{
    uint32_t number = stretch_find(vm, level);
    invariant(number || level > 1); // claimed frames are there
    if (!number)
        return PFN_NONE;
    pfn_t pfn = stretch_take(vm, level, number);
    if (level > 1 && frame_of(vm, pfn)->flags & FRAME_JOINED)
        block_clean(vm, pfn, level);
    return pfn;
}

// Chains some of the stretch's fresh frames: it has no others.
static void stretch_chain(struct vmm *vm, struct stretch *s, uint32_t number, unsigned max)
{
    uint32_t first = number * PTE_ENTRIES - s->n_fresh;
    unsigned n = s->n_fresh < max ? s->n_fresh : max;
    for (uint32_t i = 1; i <= n; i++)
        frame_of(vm, (pfn_t){first + i - 1})->next = (pfn_t){i < n ? first + i : 0};
    s->free = (pfn_t){first};
    s->n_fresh = (uint16_t)(s->n_fresh - n);
}

struct block_row block_take_row(struct vmm *vm, unsigned max, pfn_t **rest)
{
    uint32_t number = stretch_find(vm, 1);
    invariant(number);
    struct stretch *all = vm->stretches[0], *s = &all[number];
    if (!s->free.n)
        stretch_chain(vm, s, number, max);
    unsigned n_chained = s->n_free - s->n_fresh, n = n_chained < max ? n_chained : max;
    s->n_free = (uint16_t)(s->n_free - n);
    if (!s->n_free)
        stretch_unlist(all, number);
    *rest = &s->free;
    return (struct block_row){.first = s->free, .n = n};
}

static void stretch_add(struct vmm *vm, unsigned level, uint32_t number, unsigned n);

// The stretch is free as a whole: it is one block.
rarely static void stretch_join(struct vmm *vm, unsigned level, uint32_t number)
{
    struct stretch *all = vm->stretches[level - 1], *s = &all[number];
    stretch_unlist(all, number);
    s->n_free = s->n_fresh = 0;
    s->free = PFN_NONE;
    pfn_t whole = {(number - 1) << 9 * level};
    stretch_push(vm, level + 1, whole, FRAME_JOINED);
    stretch_add(vm, level + 1, stretch_number(whole, level + 1), 1);
}

// `n` blocks of the stretch became free.
static void stretch_add(struct vmm *vm, unsigned level, uint32_t number, unsigned n)
{
    struct stretch *all = vm->stretches[level - 1], *s = &all[number];
    unsigned was_free = s->n_free;
    s->n_free = (uint16_t)(was_free + n);
    if (!was_free)
        stretch_list(all, number);
    if (was_free + n == PTE_ENTRIES)
        stretch_join(vm, level, number);
}

// Blocks of one stretch, chained by their records.
static void stretch_give(struct vmm *vm, unsigned level, const struct block_row *row)
{
    struct stretch *s = block_stretch(vm, row->last, level);
    frame_of(vm, row->last)->next = s->free;
    s->free = row->first;
    vm->state->n_free += (uint64_t)row->n << level_order(level);
    stretch_add(vm, level, stretch_number(row->last, level), row->n);
}

static void block_push(struct vmm *vm, pfn_t pfn, unsigned level, uint8_t flags)
{
    vm->state->n_free += 1ull << level_order(level);
    stretch_push(vm, level, pfn, flags);
    stretch_add(vm, level, stretch_number(pfn, level), 1);
}

void block_give(struct vmm *vm, pfn_t pfn, unsigned level)
{
    block_push(vm, pfn, level, 0);
}

void block_add(struct vmm *vm, uint32_t first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        frame_of(vm, (pfn_t){first + i})->kind = FRAME_BODY;
    while (n) {
        unsigned level = BLOCK_LEVELS;
        while (level > 1 &&
               (n >> level_order(level) == 0 || first & ((1u << level_order(level)) - 1)))
            level--;
        block_give(vm, (pfn_t){first}, level);
        first += 1u << level_order(level);
        n -= 1u << level_order(level);
    }
}

static void stretch_wait(struct vmm *vm, unsigned level, const struct block_row *row)
{
    struct stretch *s = block_stretch(vm, row->last, level);
    frame_of(vm, row->last)->next = s->waiting;
    s->waiting = row->first;
    if (!s->n_waiting) {
        s->waiting_end = row->last;
        s->next_waiting = vm->state->waiting[level - 1];
        vm->state->waiting[level - 1] = stretch_number(row->last, level);
    }
    s->n_waiting += row->n;
}

void block_retire_row(struct vmm *vm, const struct block_row *row)
{
    if (flush_is_pending(&vm->state->flush))
        stretch_wait(vm, 1, row);
    else
        stretch_give(vm, 1, row);
}

void block_retire(struct vmm *vm, pfn_t pfn, unsigned level, uint8_t flags)
{
    if (!flush_is_pending(&vm->state->flush)) {
        block_push(vm, pfn, level, flags);
        return;
    }
    *frame_of(vm, pfn) = free_record(level, PFN_NONE, flags);
    stretch_wait(vm, level, &(struct block_row){pfn, pfn, 1});
}

// All that waits in a stretch becomes free in one go.
static void stretch_give_waiting(struct vmm *vm, unsigned level, uint32_t number)
{
    struct stretch *s = &vm->stretches[level - 1][number];
    const struct block_row row = {s->waiting, s->waiting_end, s->n_waiting};
    s->waiting = PFN_NONE;
    s->n_waiting = 0;
    stretch_give(vm, level, &row);
}

void block_give_waiting(struct vmm *vm)
{
    for (unsigned level = 1; level <= BLOCK_LEVELS; level++)
        while (vm->state->waiting[level - 1]) {
            uint32_t number = vm->state->waiting[level - 1];
            vm->state->waiting[level - 1] = vm->stretches[level - 1][number].next_waiting;
            stretch_give_waiting(vm, level, number);
        }
}

static bool is_waiting(const struct vmm *vm, const struct stretch *s, pfn_t head)
{
    pfn_t pfn = s->waiting;
    while (pfn.n && pfn.n != head.n)
        pfn = frame_of(vm, pfn)->next;
    return pfn.n;
}

bool block_is_free(const struct vmm *vm, pfn_t pfn)
{
    for (unsigned level = 1; level <= BLOCK_LEVELS; level++) {
        const struct stretch *s = block_stretch(vm, pfn, level);
        unsigned i = pfn.n >> level_order(level) & (PTE_ENTRIES - 1);
        pfn_t head = block_start(pfn, level);
        const struct frame *f = frame_of(vm, head);
        if (i >= PTE_ENTRIES - s->n_fresh)
            return true;
        if (f->kind == FRAME_FREE && f->order == level_order(level))
            return !is_waiting(vm, s, head);
    }
    return false;
}

uint64_t block_count(const struct vmm *vm, unsigned level)
{
    uint64_t n = level < BLOCK_LEVELS ? PTE_ENTRIES * block_count(vm, level + 1) : 0;
    const struct stretch *all = vm->stretches[level - 1];
    for (uint32_t number = all[0].next; number; number = all[number].next)
        n += all[number].n_free;
    return n;
}

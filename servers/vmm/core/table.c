// SPDX-License-Identifier: MIT
#include "table.h"

#include "page.h"

void table_store(struct vmm *vm, pfn_t table, unsigned i, pte_t new)
{
    pte_t *e = table_entry(vm, table, i);
    bool was_empty = pte_is_empty(*e);
    *e = new;
    if (was_empty && !pte_is_empty(new))
        table_count_in(frame_of(vm, table), i);
    else if (!was_empty && pte_is_empty(new))
        table_count_out(frame_of(vm, table), i);
}

void table_recount(struct vmm *vm, pfn_t table, unsigned from, unsigned n, unsigned was_used,
                   unsigned used)
{
    struct frame *f = frame_of(vm, table);
    bool was_empty = !f->used;
    f->used = (uint16_t)(f->used - was_used + used);
    if (used) {
        f->flags &= (uint8_t)~FRAME_BARE;
        if (was_empty || from < f->first)
            f->first = (uint16_t)from;
        if (was_empty || from + n - 1 > f->last)
            f->last = (uint16_t)(from + n - 1);
    } else if (f->used) {
        if (from <= f->first && f->first < from + n)
            f->first = (uint16_t)(from + n);
        if (from <= f->last && f->last < from + n)
            f->last = (uint16_t)(from - 1);
    }
}

// Counts in an entry at level 1 that its page, if it has one, is in two tables now.
[[gnu::noinline]] static void share_leaf(struct vmm *vm, pte_t *e)
{
    if (!pte_is_leaf(*e))
        return;
    page_hold(vm, frame_number(pte_address(*e)), 1);
    if (!(e->bits & PTE_SHARED))
        e->bits &= ~(PTE_SOLE | PTE_W);
}

// Most entries are pages of 4 KiB that were not shared on purpose. Less PTE_U, such an entry has none
// of the bits from PTE_U to the frame but A and D, and what has no page has some.
static inline void share_plain_leaf(struct vmm *vm, pte_t *e)
{
    const uint64_t others = PTE_U | PTE_SHARED | PTE_DEVICE | PTE_LINKED;
    uint64_t bits = e->bits, rest = bits - PTE_U;
    struct frame *f = frame_of_page(vm, (pte_t){rest});
    if (__builtin_expect(rest & others || !frame_is_plain(f), false)) {
        share_leaf(vm, e);
        return;
    }
    f->refs++;
    e->bits = bits & ~(PTE_SOLE | PTE_W);
}

// A full table is copied at the first write after a clone: few instructions an entry. What is around
// the entries that are in use is empty. There is no device among them.
static void share_leaves(struct vmm *vm, pte_t *table, unsigned first, unsigned last)
{
    for (pte_t *e = table + (first & ~15u); e <= table + last; e += 16)
#pragma clang loop unroll(full)
        for (unsigned i = 0; i < 16; i++)
            share_plain_leaf(vm, e + i);
}

// Copies the entries of any table. True if W was set anywhere.
static bool copy_children(struct vmm *vm, pte_t *in, pte_t *out, unsigned n, unsigned level)
{
    bool had_w = false;
    for (unsigned i = table_next(in, 0, n); i < n; i = table_next(in, i + 1, n)) {
        pfn_t pfn = frame_number(pte_address(in[i]));
        bool is_table = pte_is_table(in[i], level);
        if (is_table)
            frame_of(vm, pfn)->refs++;
        else if (pte_has_page(in[i]))
            page_hold(vm, pfn, level);
        if (is_table || (pte_has_page(in[i]) && !(in[i].bits & PTE_SHARED))) {
            had_w |= in[i].bits & PTE_W;
            in[i].bits &= ~(PTE_SOLE | PTE_W);
        }
        out[i] = in[i];
    }
    return had_w;
}

// At level 1, without devices, all entries from first to last are written.
static bool copies_leaves(const struct frame *source)
{
    return source->level == 1 && !(source->flags & FRAME_DEVICE);
}

bool table_share(struct vmm *vm, pfn_t from, pfn_t to)
{
    const struct frame *source = frame_of(vm, from);
    struct frame *copy = frame_of(vm, to);
    unsigned n = source->used ? source->last - source->first + 1u : 0;
    pte_t *in = table_entries(vm, from), *out = table_entries(vm, to);
    copy->level = source->level;
    copy->used = source->used;
    copy->first = source->first;
    copy->last = source->last;
    if (!copies_leaves(source))
        return copy_children(vm, in + source->first, out + source->first, n, source->level);
    if (n)
        share_leaves(vm, in, source->first, source->last);
    __builtin_memcpy(out + source->first, in + source->first, n * sizeof *out);
    return false;
}

void table_copy(struct vmm *vm, pfn_t from, pfn_t to)
{
    const struct frame *source = frame_of(vm, from);
    if (copies_leaves(source) && source->used == PTE_ENTRIES)
        frame_of(vm, to)->flags &= (uint8_t)~FRAME_ZERO; // it is overwritten
    else
        frame_zero(vm, to);
    table_share(vm, from, to);
}

void table_fill(struct vmm *vm, pfn_t table, unsigned level, pte_t e)
{
    struct frame *f = frame_of(vm, table);
    pte_t *entries = table_entries(vm, table);
    f->level = (uint8_t)(level - 1);
    if (pte_is_empty(e)) {
        frame_zero(vm, table);
        return;
    }
    f->flags &= (uint8_t)~FRAME_ZERO;
    for (unsigned i = 0; i < PTE_ENTRIES; i++)
        entries[i] = pte_part(e, level, i);
    table_recount(vm, table, 0, PTE_ENTRIES, 0, PTE_ENTRIES);
    if (pte_is_device(e))
        f->flags |= FRAME_DEVICE;
    if (pte_has_page(e))
        page_split(vm, frame_number(pte_address(e)), level);
}

bool table_may_join(const struct vmm *vm, pfn_t table, unsigned i)
{
    const pte_t *e = table_entries(vm, table);
    uint64_t step = pte_has_page(e[0]) ? PAGE_SIZE : 0;
    return frame_of(vm, table)->used == PTE_ENTRIES && e[i].bits == e[0].bits + i * step &&
           e[PTE_ENTRIES - 1].bits == e[0].bits + (PTE_ENTRIES - 1) * step;
}

// What 512 alike entries of the table below `level` are as one, or PTE_NONE.
static pte_t joined_entry(const struct vmm *vm, pfn_t table, unsigned level)
{
    const pte_t *entries = table_entries(vm, table);
    bool has_page = pte_has_page(entries[0]);
    uint64_t step = has_page ? pt_span(level - 1) << PAGE_SHIFT : 0;
    uint64_t first = entries[0].bits;
    if (pte_is_table(entries[0], level - 1) ||
        entries[PTE_ENTRIES - 1].bits != first + (PTE_ENTRIES - 1) * step)
        return PTE_NONE;
    if (has_page && (!(vm->state->page_sizes & 1u << (level - 1)) ||
                     first & PTE_ADDR & ((pt_span(level) << PAGE_SHIFT) - 1)))
        return PTE_NONE;
    for (unsigned i = 1; i < PTE_ENTRIES - 1; i++)
        if (entries[i].bits != first + i * step)
            return PTE_NONE;
    return (pte_t){first};
}

bool table_join(struct vmm *vm, pfn_t table, unsigned level, pte_t *e)
{
    const struct frame *f = frame_of(vm, table);
    pte_t whole = f->used == PTE_ENTRIES && !f->link ? joined_entry(vm, table, level) : PTE_NONE;
    pfn_t pfn = frame_number(pte_address(whole));
    if (pte_is_empty(whole) || (pte_has_page(whole) && !page_join(vm, pfn, level)))
        return false;
    *e = pte_has_page(whole) ? pte_arm(whole, level, page_is_sole(vm, pfn, level)) : whole;
    return true;
}

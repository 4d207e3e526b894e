// SPDX-License-Identifier: MIT
#include "page.h"

#include "account.h"
#include "block.h"

// Whether a page of `level` begins at the frame.
static bool is_block(const struct frame *head, unsigned level)
{
    return head->kind == FRAME_PAGE && head->order >= level_order(level);
}

// The count that entries of `level` change.
static uint32_t *page_count(struct frame *f, unsigned level)
{
    return level == 1 ? &f->refs : &f->block_refs[level - 2];
}

// Entries of levels above `level` that map the page as part of something larger.
static uint32_t counts_above(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    uint32_t n = 0;
    for (unsigned l = level + 1; l <= 3; l++) {
        const struct frame *head = frame_of(vm, block_start(pfn, l));
        n += is_block(head, l) ? head->block_refs[l - 2] : 0;
    }
    return n;
}

rare static bool part_is_sole(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    uint32_t n = counts_above(vm, pfn, level);
    if (f->kind == FRAME_PAGE)
        n += *page_count(f, level) + (level > 1 ? f->part_refs[level - 2] : 0);
    return n == 1;
}

at_once bool page_is_sole(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    const struct frame *f = frame_of(vm, pfn);
    return frame_is_plain(f) ? f->refs == 1 : part_is_sole(vm, pfn, level);
}

void page_count_add(struct vmm *vm, pfn_t pfn, unsigned level, uint32_t delta)
{
    *page_count(frame_of(vm, pfn), level) += delta;
    for (unsigned l = level + 1; l <= 3; l++) {
        struct frame *head = frame_of(vm, block_start(pfn, l));
        if (is_block(head, l))
            head->part_refs[l - 2] += delta;
    }
}

// Makes a part of a block a page that counts by itself; in 1 GiB, first the 2 MiB around it.
static void page_split_off(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    pfn_t start = block_start(pfn, level + 1);
    struct frame *head = frame_of(vm, start);
    if (f->kind != FRAME_BODY)
        return;
    page_split_off(vm, start, level + 1);
    head->flags |= FRAME_SPLIT;
    *f = (struct frame){.kind = FRAME_PAGE,
                        .order = (uint8_t)level_order(level),
                        .flags = FRAME_PART,
                        .account = head->account};
}

rarely static void part_hold(struct vmm *vm, pfn_t pfn, unsigned level)
{
    page_split_off(vm, pfn, level);
    page_count_add(vm, pfn, level, 1);
}

at_once void page_hold(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    if (level == 1 && frame_is_plain(f))
        f->refs++;
    else
        part_hold(vm, pfn, level);
}

// Makes the records of a block's parts BODY again, of whatever was mapped by itself once.
static void block_clear(struct vmm *vm, pfn_t pfn, unsigned level)
{
    if (!(frame_of(vm, pfn)->flags & FRAME_SPLIT))
        return;
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pfn_t part = {pfn.n + (i << level_order(level - 1))};
        struct frame *f = frame_of(vm, part);
        if (level > 2 && f->kind != FRAME_BODY)
            block_clear(vm, part, level - 1);
        if (i)
            *f = (struct frame){.kind = FRAME_BODY};
    }
    frame_of(vm, pfn)->flags &= (uint8_t)~FRAME_SPLIT;
}

// Nobody maps the block at `pfn` whole any more, nor what is around it.
static void block_break(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *head = frame_of(vm, pfn);
    unsigned order = level_order(level - 1);
    record_t account = head->account;
    if (!head->part_refs[level - 2]) {
        block_clear(vm, pfn, level);
        frame_free_block(vm, pfn, level);
        return;
    }
    head->part_refs[level - 2] = 0;
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pfn_t part = {pfn.n + (i << order)};
        struct frame *f = frame_of(vm, part);
        bool is_body = f->kind == FRAME_BODY;
        f->account = account;
        f->order = (uint8_t)order;
        if (level == 2)
            f->flags = 0;
        if (is_body || (level == 2 && !f->refs))
            frame_free_block(vm, part, level - 1);
        else if (level > 2 && !f->block_refs[0])
            block_break(vm, part, 2);
    }
}

rarely static void part_drop(struct vmm *vm, pfn_t pfn, unsigned level)
{
    page_count_add(vm, pfn, level, UINT32_MAX); // -1
    if (*page_count(frame_of(vm, pfn), level) || counts_above(vm, pfn, level))
        return;
    if (level == 1)
        frame_free(vm, pfn);
    else
        block_break(vm, pfn, level);
}

void page_drop(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    if (!frame_is_plain(f))
        part_drop(vm, pfn, level);
    else if (!--f->refs)
        frame_free(vm, pfn);
}

// Pages to be freed, of one account and one stretch, whose entries look alike: neighbours often do.
struct drop {
    record_t account;
    uint64_t alike;       // what the entries have in common
    struct frame *frames; // of the stretch
    struct block_row row;
};

#define IN_STRETCH ((PTE_ENTRIES - 1) * PAGE_SIZE) // the bits that tell the frames of one apart

// Drops pages as far as they are plain and, if nobody else has them, belong to the row. Answers how
// many there are.
static unsigned drop_row(struct drop *d, const pte_t *e, unsigned n)
{
    pfn_t first = d->row.first;
    unsigned i = 0, n_joint = 0;
    for (; i < n && (e[i].bits & ~(uint64_t)IN_STRETCH) == d->alike; i++) {
        uint64_t offset = (e[i].bits & IN_STRETCH) / (PAGE_SIZE / sizeof *d->frames);
        struct frame *f = (struct frame *)((char *)d->frames + offset);
        if (!frame_is_plain(f))
            break;
        if (--f->refs) {
            n_joint++;
            continue;
        }
        if (f->account != d->account) {
            f->refs = 1;
            break;
        }
        f->kind = FRAME_FREE;
        f->next = first;
        first = frame_number(pte_address(e[i]));
    }
    d->row.first = first;
    d->row.n += i - n_joint;
    return i;
}

static void drop_end(struct vmm *vm, const struct drop *d)
{
    if (!d->row.n)
        return;
    account_uncharge(vm, d->account, d->row.n);
    block_retire_row(vm, &d->row);
}

// Drops what is not of the row, and may begin another.
static void drop_other(struct vmm *vm, struct drop *d, pte_t e)
{
    pfn_t pfn = frame_number(pte_address(e));
    struct frame *f = frame_of(vm, pfn);
    if (!pte_has_page(e))
        return;
    if (!frame_is_plain(f) || f->refs > 1) {
        page_drop(vm, pfn, 1);
        return;
    }
    drop_end(vm, d);
    *d = (struct drop){f->account,
                       e.bits & ~(uint64_t)IN_STRETCH,
                       frame_of(vm, block_start(pfn, 2)),
                       {pfn, pfn, 1}};
    f->kind = FRAME_FREE;
    f->refs = 0;
}

void page_drop_all(struct vmm *vm, const pte_t *entries, unsigned n)
{
    struct drop d = {.alike = ~0ull}; // as no entry
    for (unsigned i = 0; i < n; i++) {
        i += drop_row(&d, entries + i, n - i);
        if (i < n)
            drop_other(vm, &d, entries[i]);
    }
    drop_end(vm, &d);
}

void page_split(struct vmm *vm, pfn_t pfn, unsigned level)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++)
        page_hold(vm, (pfn_t){pfn.n + (i << level_order(level - 1))}, level - 1);
    page_drop(vm, pfn, level);
}

// Whether 512 parts that are no block could be one: each referred to once, all of one account.
static bool can_join(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    record_t account = frame_of(vm, pfn)->account;
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pfn_t part = {pfn.n + (i << level_order(level - 1))};
        const struct frame *f = frame_of(vm, part);
        if (f->account != account || f->order != level_order(level - 1) ||
            !page_is_sole(vm, part, level - 1))
            return false;
    }
    return true;
}

bool page_join(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *head = frame_of(vm, pfn);
    if (is_block(head, level)) {
        page_hold(vm, pfn, level);
        for (unsigned i = 0; i < PTE_ENTRIES; i++)
            page_drop(vm, (pfn_t){pfn.n + (i << level_order(level - 1))}, level - 1);
        return true;
    }
    if (!can_join(vm, pfn, level))
        return false;
    *page_count(head, level - 1) = 0;
    *page_count(head, level) = 1;
    head->order = (uint8_t)level_order(level);
    head->flags |= FRAME_SPLIT;
    block_clear(vm, pfn, level);
    return true;
}

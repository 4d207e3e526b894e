// SPDX-License-Identifier: MIT
#include "reserve.h"

#include "account.h"
#include "block.h"
#include "link.h"

// Takes the large blocks, *left of them. E_NOMEM: there are no more, and *left are missing.
static status_t reserve_large(struct vmm *vm, struct reserve *r, unsigned level, uint64_t *left)
{
    for (; *left; --*left) {
        pfn_t pfn = block_take(vm, level);
        if (!pfn.n)
            return E_NOMEM;
        *frame_of(vm, pfn) = (struct frame){.kind = FRAME_HELD,
                                            .order = (uint8_t)level_order(level),
                                            .refs = 1,
                                            .account = r->account,
                                            .next = r->large[level - 2]};
        r->large[level - 2] = pfn;
    }
    return OK;
}

// Has the large pages that are missing made of smaller ones, with a table for each.
static status_t reserve_fall_back(struct vmm *vm, struct reserve *r, unsigned level,
                                  uint64_t left[3])
{
    uint64_t n = left[level - 1];
    status_t status = account_charge(vm, r->account, n);
    if (status != OK)
        return status;
    if (!block_claim(vm, n)) {
        account_uncharge(vm, r->account, n);
        return E_NOMEM;
    }
    left[level - 1] = 0;
    left[level - 2] += n * PTE_ENTRIES;
    left[0] += n;
    r->fell_back = true;
    return OK;
}

status_t reserve_fill(struct vmm *vm, struct reserve *r, record_t account, const uint64_t n[3],
                      bool falls_back)
{
    uint64_t left[3] = {n[0], n[1], n[2]};
    uint64_t total = n[0] + (n[1] << level_order(2)) + (n[2] << level_order(3));
    *r = (struct reserve){.account = account};
    status_t status = account_charge(vm, account, total);
    if (status != OK)
        return status;
    if (!block_claim(vm, total)) {
        account_uncharge(vm, account, total);
        return E_NOMEM;
    }
    for (unsigned level = 3; level > 1 && status == OK; level--) {
        status = reserve_large(vm, r, level, &left[level - 1]);
        if (status == E_NOMEM && falls_back)
            status = reserve_fall_back(vm, r, level, left);
    }
    r->n = left[0];
    if (status != OK) {
        r->n += (left[1] << level_order(2)) + (left[2] << level_order(3));
        reserve_drop(vm, r);
    }
    return status;
}

unsigned reserve_take_pages(struct vmm *vm, struct reserve *r, pte_t *entries, uint64_t bits,
                            unsigned max)
{
    pfn_t *rest;
    invariant(r->n);
    const struct block_row row = block_take_row(vm, r->n < max ? (unsigned)r->n : max, &rest);
    const struct vmm memory = *vm; // a copy, which zeroing cannot change: it stays in registers
    const record_t account = r->account;
    pfn_t pfn = row.first;
#pragma clang loop unroll_count(4)
    for (pte_t *e = entries, *end = entries + row.n; e < end; e++) {
        struct frame *f = frame_of(&memory, pfn);
        pfn_t next = f->next;
        frame_set_sole(f, account);
        e->bits = bits + frame_address(pfn);
        frames_zero(&memory, pfn, 1);
        pfn = next;
    }
    *rest = pfn;
    r->n -= row.n;
    return row.n;
}

static pfn_t reserve_take_large(struct vmm *vm, struct reserve *r, unsigned level)
{
    pfn_t pfn = r->large[level - 2];
    invariant(pfn.n);
    r->large[level - 2] = frame_of(vm, pfn)->next;
    return pfn;
}

static pfn_t reserve_take_small(struct vmm *vm, struct reserve *r)
{
    invariant(r->n);
    r->n--;
    return block_take(vm, 1);
}

pfn_t reserve_take(struct vmm *vm, struct reserve *r, unsigned level, enum frame_kind kind)
{
    pfn_t pfn = level == 1 ? reserve_take_small(vm, r) : reserve_take_large(vm, r, level);
    *frame_of(vm, pfn) = (struct frame){.kind = (uint8_t)kind,
                                        .order = (uint8_t)level_order(level),
                                        .flags = frame_of(vm, pfn)->flags & FRAME_ZERO,
                                        .account = r->account};
    return pfn;
}

uint64_t reserve_count_add(const struct vmm *vm, const struct reserve *r, uint32_t delta)
{
    for (unsigned i = 0; i < 2; i++)
        for (pfn_t pfn = r->large[i]; pfn.n; pfn = frame_of(vm, pfn)->next)
            frame_of(vm, pfn)->refs += delta;
    return r->n;
}

// Nobody has seen these frames, so no flush is due: they are free at once.
void reserve_drop(struct vmm *vm, struct reserve *r)
{
    uint64_t n = r->n;
    vm->state->n_free += n;
    for (unsigned level = 2; level <= BLOCK_LEVELS; level++)
        while (reserve_has(r, level)) {
            block_give(vm, reserve_take_large(vm, r, level), level);
            n += 1ull << level_order(level);
        }
    if (n)
        account_uncharge(vm, r->account, n);
    if (r->links)
        link_unreserve(vm, &r->links);
    *r = (struct reserve){.account = r->account};
}

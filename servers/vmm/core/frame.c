// SPDX-License-Identifier: MIT
#include "frame.h"

#include "account.h"
#include "block.h"

at_once status_t frame_alloc(struct vmm *vm, record_t account, enum frame_kind kind, pfn_t *pfn)
{
    status_t status = account_charge(vm, account, 1);
    if (status != OK)
        return status;
    if (!block_claim(vm, 1)) {
        account_uncharge(vm, account, 1);
        return E_NOMEM;
    }
    *pfn = block_take(vm, 1);
    uint8_t flags = frame_of(vm, *pfn)->flags & FRAME_ZERO;
    *frame_of(vm, *pfn) = (struct frame){.kind = (uint8_t)kind,
                                         .flags = flags,
                                         .refs = kind != FRAME_RECORDS && kind != FRAME_PORTALS,
                                         .account = account};
    return OK;
}

void frame_free_block(struct vmm *vm, pfn_t pfn, unsigned level)
{
    account_uncharge(vm, frame_of(vm, pfn)->account, 1ull << level_order(level));
    block_retire(vm, pfn, level, 0);
}

void frame_free_zero(struct vmm *vm, pfn_t pfn)
{
    account_uncharge(vm, frame_of(vm, pfn)->account, 1);
    block_retire(vm, pfn, 1, FRAME_ZERO);
}

void frame_free(struct vmm *vm, pfn_t pfn)
{
    frame_free_block(vm, pfn, 1);
}

void frame_list(struct vmm *vm, pfn_t *head, pfn_t pfn)
{
    struct frame *f = frame_of(vm, pfn);
    f->prev = PFN_NONE;
    f->next = *head;
    if (f->next.n)
        frame_of(vm, f->next)->prev = pfn;
    *head = pfn;
}

void frame_unlist(struct vmm *vm, pfn_t *head, pfn_t pfn)
{
    const struct frame *f = frame_of(vm, pfn);
    if (f->prev.n)
        frame_of(vm, f->prev)->next = f->next;
    else
        *head = f->next;
    if (f->next.n)
        frame_of(vm, f->next)->prev = f->prev;
}

void frames_copy(struct vmm *vm, pfn_t to, pfn_t from, uint64_t n)
{
    __builtin_memcpy(frame_at(vm, to), frame_at(vm, from), n * PAGE_SIZE);
}

// SPDX-License-Identifier: MIT
#include "pool.h"

#include "account.h"
#include "frame.h"

// Place 0 of each frame. A frame with a free place is in its account's list, by the frame's next
// and prev.
struct pool_header {
    uint64_t used; // bit i: place i
};

static pfn_t record_frame(record_t id)
{
    return (pfn_t){id / RECORDS_PER_FRAME};
}

record_t record_account(const struct vmm *vm, record_t id)
{
    return frame_of(vm, record_frame(id))->account;
}

// A new frame of records, with no place used but the header's.
static status_t pool_grow(struct vmm *vm, record_t account)
{
    pfn_t pfn;
    status_t status = frame_alloc(vm, account, FRAME_RECORDS, &pfn);
    if (status != OK)
        return status;
    frame_zero(vm, pfn);
    *(struct pool_header *)frame_at(vm, pfn) = (struct pool_header){.used = 1};
    frame_list(vm, &account_of(vm, account)->records, pfn);
    return OK;
}

// Takes the lowest free place of the frame.
static record_t pool_take(struct vmm *vm, pfn_t pfn, enum record_kind kind)
{
    struct pool_header *header = frame_at(vm, pfn);
    unsigned place = (unsigned)__builtin_ctzll(~header->used);
    header->used |= 1ull << place;
    frame_of(vm, pfn)->used++;
    record_t id = pfn.n * RECORDS_PER_FRAME + place;
    uint8_t *record = record_place(vm, id);
    __builtin_memset(record, 0, RECORD_BYTES);
    *record = (uint8_t)kind;
    return id;
}

status_t record_alloc(struct vmm *vm, record_t account, enum record_kind kind, record_t *id)
{
    struct account *a = account_of(vm, account);
    if (!a->records.n) {
        status_t status = pool_grow(vm, account);
        if (status != OK)
            return status;
    }
    pfn_t pfn = a->records;
    *id = pool_take(vm, pfn, kind);
    if (frame_of(vm, pfn)->used == RECORDS_PER_FRAME - 1)
        frame_unlist(vm, &a->records, pfn);
    return OK;
}

void record_free(struct vmm *vm, record_t id)
{
    pfn_t pfn = record_frame(id);
    struct frame *f = frame_of(vm, pfn);
    struct account *a = account_of(vm, f->account);
    struct pool_header *header = frame_at(vm, pfn);
    *(uint8_t *)record_place(vm, id) = RECORD_FREE;
    header->used &= ~(1ull << id % RECORDS_PER_FRAME);
    if (f->used-- == RECORDS_PER_FRAME - 1)
        frame_list(vm, &a->records, pfn);
    if (!f->used) {
        frame_unlist(vm, &a->records, pfn);
        frame_free(vm, pfn);
    }
}

bool record_exists(const struct vmm *vm, record_t id, enum record_kind kind)
{
    pfn_t pfn = record_frame(id);
    return pfn.n < vm->state->n_frames && frame_of(vm, pfn)->kind == FRAME_RECORDS &&
           id % RECORDS_PER_FRAME && *(const uint8_t *)record_place(vm, id) == kind;
}

void pool_start(struct vmm *vm, pfn_t pfn, uint64_t quota)
{
    struct state *s = vm->state;
    frame_zero(vm, pfn);
    *(struct pool_header *)frame_at(vm, pfn) = (struct pool_header){.used = 1};
    *frame_of(vm, pfn) = (struct frame){.kind = FRAME_RECORDS};
    s->root_account = pool_take(vm, pfn, RECORD_ACCOUNT);
    frame_of(vm, pfn)->account = s->root_account;
    struct account *a = account_of(vm, s->root_account);
    a->quota = quota;
    a->charged = 1;
    a->refs = 1;
    a->priority = PRIORITY_MAX;
    s->n_charged = 1;
    frame_list(vm, &a->records, pfn);
}

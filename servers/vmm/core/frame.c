// SPDX-License-Identifier: MIT
#include "frame.h"

#include "account.h"

static void list_push(struct vmm *vm, pfn_t *head, pfn_t pfn)
{
    struct frame *f = frame_of(vm, pfn);
    f->next = *head;
    f->prev = PFN_NONE;
    if (head->n)
        frame_of(vm, *head)->prev = pfn;
    *head = pfn;
}

static void list_remove(struct vmm *vm, pfn_t *head, pfn_t pfn)
{
    struct frame *f = frame_of(vm, pfn);
    if (f->prev.n)
        frame_of(vm, f->prev)->next = f->next;
    else
        *head = f->next;
    if (f->next.n)
        frame_of(vm, f->next)->prev = f->prev;
}

static pfn_t list_pop(struct vmm *vm, pfn_t *head)
{
    pfn_t pfn = *head;
    list_remove(vm, head, pfn);
    return pfn;
}

static void block_push(struct vmm *vm, pfn_t pfn, unsigned order)
{
    struct frame *f = frame_of(vm, pfn);
    *f = (struct frame){.kind = FRAME_FREE, .order = (uint8_t)order};
    list_push(vm, &vm->state->free[order], pfn);
}

// Puts a block among the free ones, joined with its buddy as long as that is free too.
static void block_free(struct vmm *vm, pfn_t pfn, unsigned order)
{
    vm->state->n_free += 1ull << order;
    for (; order < FRAME_ORDERS - 1; order++) {
        pfn_t buddy = {pfn.n ^ 1u << order};
        if (buddy.n >= vm->state->n_frames || frame_of(vm, buddy)->kind != FRAME_FREE ||
            frame_of(vm, buddy)->order != order)
            break;
        list_remove(vm, &vm->state->free[order], buddy);
        pfn_t upper = {pfn.n | 1u << order};
        pfn.n &= ~(1u << order);
        *frame_of(vm, upper) = (struct frame){.kind = FRAME_BODY};
    }
    block_push(vm, pfn, order);
}

static status_t block_alloc(struct vmm *vm, unsigned order, pfn_t *pfn)
{
    pfn_t *free = vm->state->free;
    unsigned found = order;
    while (found < FRAME_ORDERS && !free[found].n)
        found++;
    if (found == FRAME_ORDERS)
        return E_NOMEM;
    pfn_t block = list_pop(vm, &free[found]);
    while (found > order) {
        found--;
        block_push(vm, (pfn_t){block.n + (1u << found)}, found);
    }
    vm->state->n_free -= 1ull << order;
    *pfn = block;
    return OK;
}

void frame_add(struct vmm *vm, uint32_t first, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        frame_of(vm, (pfn_t){first + i})->kind = FRAME_BODY;
    while (n) {
        unsigned order = 0;
        while (order < FRAME_ORDERS - 1 && !(first & 1u << order) && n >= 2u << order)
            order++;
        block_free(vm, (pfn_t){first}, order);
        first += 1u << order;
        n -= 1u << order;
    }
}

status_t frame_alloc(struct vmm *vm, record_t account, unsigned order, enum frame_kind kind,
                     pfn_t *pfn)
{
    pfn_t block;
    status_t status = account_charge(vm, account, 1ull << order);
    if (status != OK)
        return status;
    status = block_alloc(vm, order, &block);
    if (status != OK) {
        account_uncharge(vm, account, 1ull << order);
        return status;
    }
    *frame_of(vm, block) =
        (struct frame){.kind = (uint8_t)kind, .order = (uint8_t)order, .account = account};
    *pfn = block;
    return OK;
}

void frame_free(struct vmm *vm, pfn_t pfn, unsigned order)
{
    struct frame *f = frame_of(vm, pfn);
    account_uncharge(vm, f->account, 1ull << order);
    *f = (struct frame){.kind = FRAME_FREEING, .order = (uint8_t)order};
    list_push(vm, &vm->state->freeing, pfn);
}

void frame_reclaim(struct vmm *vm)
{
    while (vm->state->freeing.n) {
        pfn_t pfn = list_pop(vm, &vm->state->freeing);
        block_free(vm, pfn, frame_of(vm, pfn)->order);
    }
}

void frame_zero(struct vmm *vm, pfn_t pfn, unsigned order)
{
    __builtin_memset(frame_at(vm, pfn), 0, PAGE_SIZE << order);
}

void frame_copy(struct vmm *vm, pfn_t to, pfn_t from, unsigned order)
{
    __builtin_memcpy(frame_at(vm, to), frame_at(vm, from), PAGE_SIZE << order);
}

static unsigned level_order(unsigned level)
{
    return 9 * (level - 1);
}

// Where the block of `level` around the frame begins.
static pfn_t block_start(pfn_t pfn, unsigned level)
{
    return (pfn_t){pfn.n & ~((1u << level_order(level)) - 1)};
}

// Entries that map the whole block of `level` around the frame.
static uint32_t block_count(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    const struct frame *head = frame_of(vm, block_start(pfn, level));
    return head->kind == FRAME_PAGE ? head->block_refs[level - 2] : 0;
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
    for (unsigned l = level + 1; l <= 3; l++)
        n += block_count(vm, pfn, l);
    return n;
}

bool page_is_sole(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    uint32_t n = *page_count(f, level) + counts_above(vm, pfn, level);
    for (unsigned l = level; l-- > 1;)
        n += *page_count(f, l);
    return n == 1 && !(level > 1 && f->flags & FRAME_SPLIT);
}

// Makes a part of a block a page that counts by itself; in 1 GiB, first the 2 MiB around it.
static void page_split_off(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    pfn_t head = block_start(pfn, level + 1);
    if (f->kind != FRAME_BODY)
        return;
    page_split_off(vm, head, level + 1);
    if (f->kind == FRAME_BODY)
        *f = (struct frame){.kind = FRAME_PAGE,
                            .order = (uint8_t)level_order(level),
                            .account = frame_of(vm, head)->account};
}

void page_hold(struct vmm *vm, pfn_t pfn, unsigned level)
{
    page_split_off(vm, pfn, level);
    for (unsigned l = level + 1; l <= 3; l++) {
        struct frame *head = frame_of(vm, block_start(pfn, l));
        if (head->kind == FRAME_PAGE && head->order >= level_order(l))
            head->flags |= FRAME_SPLIT;
    }
    (*page_count(frame_of(vm, pfn), level))++;
}

// Frees what nobody refers to of the block at `pfn`, whose own count at `level` is zero.
static void page_free_unused(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    unsigned order = level_order(level);
    if (f->kind == FRAME_FREEING)
        return;
    if (level == 1) {
        if (!f->refs)
            frame_free(vm, pfn, 0);
        return;
    }
    if (f->kind == FRAME_BODY || !(f->flags & FRAME_SPLIT)) {
        frame_free(vm, pfn, order);
        return;
    }
    record_t account = f->account;
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pfn_t part = {pfn.n + (i << (order - 9))};
        struct frame *p = frame_of(vm, part);
        if (p->kind == FRAME_BODY)
            p->account = account;
        if (level == 2 || p->kind == FRAME_BODY || !p->block_refs[0])
            page_free_unused(vm, part, level - 1);
    }
}

void page_drop(struct vmm *vm, pfn_t pfn, unsigned level)
{
    if (--*page_count(frame_of(vm, pfn), level) || counts_above(vm, pfn, level))
        return;
    page_free_unused(vm, pfn, level);
}

status_t reserve_fill(struct vmm *vm, struct reserve *r, record_t account, const uint64_t n[3])
{
    *r = (struct reserve){.account = account};
    uint64_t total = n[0] + (n[1] << level_order(2)) + (n[2] << level_order(3));
    status_t status = account_check(vm, account, total);
    if (status == OK && total > vm->state->n_free)
        status = E_NOMEM;
    for (unsigned level = 3; level && status == OK; level--)
        for (uint64_t i = 0; i < n[level - 1] && status == OK; i++) {
            pfn_t pfn;
            status = frame_alloc(vm, account, level_order(level), FRAME_HELD, &pfn);
            if (status == OK)
                list_push(vm, &r->head[level - 1], pfn);
        }
    if (status != OK)
        reserve_drop(vm, r);
    return status;
}

pfn_t reserve_take(struct vmm *vm, struct reserve *r, unsigned level, enum frame_kind kind)
{
    invariant(r->head[level - 1].n);
    pfn_t pfn = list_pop(vm, &r->head[level - 1]);
    *frame_of(vm, pfn) = (struct frame){
        .kind = (uint8_t)kind, .order = (uint8_t)level_order(level), .account = r->account};
    return pfn;
}

// Nobody has seen these frames, so no flush is due: they are free at once.
void reserve_drop(struct vmm *vm, struct reserve *r)
{
    for (unsigned level = 1; level <= 3; level++)
        while (r->head[level - 1].n) {
            pfn_t pfn = list_pop(vm, &r->head[level - 1]);
            unsigned order = frame_of(vm, pfn)->order;
            account_uncharge(vm, frame_of(vm, pfn)->account, 1ull << order);
            block_free(vm, pfn, order);
        }
}

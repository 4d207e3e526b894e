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
    *head = frame_of(vm, pfn)->next;
    if (head->n)
        frame_of(vm, *head)->prev = PFN_NONE;
    return pfn;
}

// What else a record of a free block says has no meaning.
static void block_push(struct vmm *vm, pfn_t pfn, unsigned order)
{
    struct frame *f = frame_of(vm, pfn);
    f->kind = FRAME_FREE;
    f->order = (uint8_t)order;
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
        frame_of(vm, upper)->kind = FRAME_BODY;
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
        unsigned order = 31u - (unsigned)__builtin_clz(n);
        if (first && (unsigned)__builtin_ctz(first) < order)
            order = (unsigned)__builtin_ctz(first);
        if (order >= FRAME_ORDERS)
            order = FRAME_ORDERS - 1;
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

static void freeing_push(struct vmm *vm, pfn_t pfn, unsigned order)
{
    struct frame *f = frame_of(vm, pfn);
    f->kind = FRAME_FREEING;
    f->order = (uint8_t)order;
    f->next = vm->state->freeing;
    vm->state->freeing = pfn;
}

void frame_free(struct vmm *vm, pfn_t pfn, unsigned order)
{
    account_uncharge(vm, frame_of(vm, pfn)->account, 1ull << order);
    freeing_push(vm, pfn, order);
}

static pfn_t freeing_pop(struct vmm *vm)
{
    pfn_t pfn = vm->state->freeing;
    vm->state->freeing = frame_of(vm, pfn)->next;
    return pfn;
}

// How many single frames wait next in the list that lie in a row, the first at `pfn`, each before
// or (`step` 1) behind the other.
static uint32_t freeing_pop_row(struct vmm *vm, pfn_t pfn, uint32_t step)
{
    const pfn_t *head = &vm->state->freeing;
    uint32_t n = 0;
    for (; head->n == (pfn.n += step) && !frame_of(vm, *head)->order; n++)
        freeing_pop(vm);
    return n;
}

// Those in a row, as they are if one request frees many, go back in one piece.
void frame_reclaim(struct vmm *vm)
{
    while (vm->state->freeing.n) {
        pfn_t pfn = freeing_pop(vm);
        unsigned order = frame_of(vm, pfn)->order;
        uint32_t below = order ? 0 : freeing_pop_row(vm, pfn, UINT32_MAX);
        uint32_t above = order || below ? 0 : freeing_pop_row(vm, pfn, 1);
        if (below | above)
            frame_add(vm, pfn.n - below, 1 + below + above);
        else
            block_free(vm, pfn, order);
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

// Where the block of `level` around the frame begins.
static pfn_t block_start(pfn_t pfn, unsigned level)
{
    return (pfn_t){pfn.n & ~((1u << level_order(level)) - 1)};
}

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

bool page_is_sole(const struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    if (frame_is_plain(f))
        return f->refs == 1;
    uint32_t n = counts_above(vm, pfn, level);
    if (f->kind == FRAME_PAGE)
        n += *page_count(f, level) + (level > 1 ? f->part_refs[level - 2] : 0);
    return n == 1;
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

void page_hold(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    if (level == 1 && frame_is_plain(f)) {
        f->refs++;
        return;
    }
    page_split_off(vm, pfn, level);
    page_count_add(vm, pfn, level, 1);
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
        frame_free(vm, pfn, level_order(level));
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
            frame_free(vm, part, order);
        else if (level > 2 && !f->block_refs[0])
            block_break(vm, part, 2);
    }
}

void page_drop(struct vmm *vm, pfn_t pfn, unsigned level)
{
    struct frame *f = frame_of(vm, pfn);
    bool is_plain = frame_is_plain(f);
    if (is_plain)
        f->refs--;
    else
        page_count_add(vm, pfn, level, UINT32_MAX); // -1
    if (*page_count(f, level) || (!is_plain && counts_above(vm, pfn, level)))
        return;
    if (level == 1)
        frame_free(vm, pfn, 0);
    else
        block_break(vm, pfn, level);
}

// Neighbours are often of one account, which then is looked up once.
void page_drop_all(struct vmm *vm, const pte_t *entries, unsigned n)
{
    struct frame *frames = vm->frames;
    record_t account = 0;
    uint64_t freed = 0;
    for (unsigned i = 0; i < n; i++) {
        pfn_t pfn = frame_number(pte_address(entries[i]));
        struct frame *f = &frames[pfn.n];
        if (!pte_has_page(entries[i]))
            continue;
        if (!frame_is_plain(f)) {
            page_drop(vm, pfn, 1);
            continue;
        }
        if (--f->refs)
            continue;
        if (f->account != account && freed) {
            account_uncharge(vm, account, freed);
            freed = 0;
        }
        account = f->account;
        freed++;
        freeing_push(vm, pfn, 0);
    }
    if (freed)
        account_uncharge(vm, account, freed);
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

// Moves blocks of free frames, `*left` frames in all, into a list of the reserve, each as large as
// `order` at most. E_NOMEM: there are no more, and *left are missing.
static status_t reserve_blocks(struct vmm *vm, pfn_t *head, unsigned max_order, unsigned min_order,
                               uint64_t *left)
{
    while (*left) {
        unsigned order = min_order;
        while (order < max_order && !vm->state->free[order].n && *left >= 2ull << order)
            order++;
        pfn_t pfn;
        status_t status = block_alloc(vm, order, &pfn);
        if (status != OK)
            return status;
        struct frame *f = frame_of(vm, pfn);
        f->kind = FRAME_HELD;
        f->order = (uint8_t)order;
        f->next = *head;
        *head = pfn;
        *left -= 1ull << order;
    }
    return OK;
}

// Blocks of one size for entries of `level`, or of all sizes for pages one by one.
static status_t reserve_level(struct vmm *vm, struct reserve *r, unsigned level, uint64_t *left)
{
    unsigned order = level_order(level);
    return reserve_blocks(vm, &r->head[level - 1], level > 1 ? order : FRAME_ORDERS - 1, order,
                          left);
}

// Has the large pages that are missing made of smaller ones, with a table for each.
static status_t reserve_fall_back(struct vmm *vm, struct reserve *r, unsigned level,
                                  uint64_t left[3])
{
    uint64_t pages = left[level - 1], tables = pages >> level_order(level);
    if (left[0] + left[1] + left[2] + tables > vm->state->n_free)
        return E_NOMEM;
    status_t status = account_charge(vm, r->account, tables);
    if (status != OK)
        return status;
    left[level - 1] = 0;
    left[level - 2] += pages;
    left[0] += tables;
    r->fell_back = true;
    return OK;
}

status_t reserve_fill(struct vmm *vm, struct reserve *r, record_t account, const uint64_t n[3],
                      bool falls_back)
{
    uint64_t left[3] = {n[0], n[1] << level_order(2), n[2] << level_order(3)};
    uint64_t total = left[0] + left[1] + left[2];
    *r = (struct reserve){.account = account};
    status_t status = account_check(vm, account, total);
    if (status == OK && total > vm->state->n_free)
        status = E_NOMEM;
    if (status == OK)
        status = account_charge(vm, account, total);
    if (status != OK)
        return status;
    for (unsigned level = 3; level && status == OK; level--) {
        status = reserve_level(vm, r, level, &left[level - 1]);
        if (status == E_NOMEM && level > 1 && falls_back)
            status = reserve_fall_back(vm, r, level, left);
    }
    if (status != OK) {
        account_uncharge(vm, account, left[0] + left[1] + left[2]);
        reserve_drop(vm, r);
    }
    return status;
}

static pfn_t reserve_pop(struct vmm *vm, pfn_t *head)
{
    pfn_t pfn = *head;
    invariant(pfn.n);
    *head = frame_of(vm, pfn)->next;
    return pfn;
}

pfn_t reserve_take_pages(struct vmm *vm, struct reserve *r, unsigned max, unsigned *n)
{
    if (!r->n) {
        r->next = reserve_pop(vm, &r->head[0]);
        r->n = 1u << frame_of(vm, r->next)->order;
    }
    pfn_t first = r->next;
    *n = r->n < max ? r->n : max;
    struct frame *f = frame_of(vm, first);
    for (struct frame *end = f + *n; f < end; f++)
        *f = (struct frame){.kind = FRAME_PAGE, .refs = 1, .account = r->account};
    r->next.n += *n;
    r->n -= *n;
    return first;
}

pfn_t reserve_take(struct vmm *vm, struct reserve *r, unsigned level, enum frame_kind kind)
{
    unsigned one;
    pfn_t pfn =
        level == 1 ? reserve_take_pages(vm, r, 1, &one) : reserve_pop(vm, &r->head[level - 1]);
    *frame_of(vm, pfn) = (struct frame){
        .kind = (uint8_t)kind, .order = (uint8_t)level_order(level), .account = r->account};
    return pfn;
}

// Nobody has seen these frames, so no flush is due: they are free at once.
void reserve_drop(struct vmm *vm, struct reserve *r)
{
    uint64_t n = r->n;
    frame_add(vm, r->next.n, r->n);
    for (unsigned level = 1; level <= 3; level++)
        while (r->head[level - 1].n) {
            pfn_t pfn = reserve_pop(vm, &r->head[level - 1]);
            unsigned order = frame_of(vm, pfn)->order;
            n += 1ull << order;
            block_free(vm, pfn, order);
        }
    if (n)
        account_uncharge(vm, r->account, n);
    *r = (struct reserve){.account = r->account};
}

// SPDX-License-Identifier: MIT
#include "link.h"

#include "pool.h"
#include "portal.h"

#define FIND_MAX 8u // vias of a grant that are looked through before another like them is made

struct via *via_of(const struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_VIA);
}

struct link *link_of(const struct vmm *vm, record_t id)
{
    return record_at(vm, id, RECORD_LINK);
}

status_t link_reserve(struct vmm *vm, record_t account, uint64_t n, record_t *head)
{
    record_t chain = 0, id;
    for (; n; n--) {
        status_t status = record_alloc(vm, account, RECORD_LINK, &id);
        if (status != OK) {
            link_unreserve(vm, &chain);
            return status;
        }
        link_of(vm, id)->next = chain;
        chain = id;
    }
    *head = chain;
    return OK;
}

static record_t reserve_pop(struct vmm *vm, record_t *reserve)
{
    record_t id = *reserve;
    *reserve = link_of(vm, id)->next;
    return id;
}

void link_unreserve(struct vmm *vm, record_t *head)
{
    while (*head)
        record_free(vm, reserve_pop(vm, head));
}

record_t via_find(const struct vmm *vm, portal_t grant, record_t parent)
{
    record_t id = portal_of(vm, grant)->link;
    for (unsigned n = 0; id && n < FIND_MAX; n++, id = via_of(vm, id)->next_of_grant)
        if (via_of(vm, id)->parent == parent)
            return id;
    return 0;
}

static void via_list(struct vmm *vm, record_t id, portal_t grant)
{
    struct via *v = via_of(vm, id);
    v->grant = grant;
    v->prev_of_grant = 0;
    v->next_of_grant = 0;
    if (!grant)
        return;
    record_t *head = &portal_of(vm, grant)->link;
    v->next_of_grant = *head;
    if (*head)
        via_of(vm, *head)->prev_of_grant = id;
    *head = id;
}

static void via_unlist(struct vmm *vm, const struct via *v)
{
    if (v->prev_of_grant)
        via_of(vm, v->prev_of_grant)->next_of_grant = v->next_of_grant;
    else if (v->grant)
        portal_of(vm, v->grant)->link = v->next_of_grant;
    if (v->next_of_grant)
        via_of(vm, v->next_of_grant)->prev_of_grant = v->prev_of_grant;
}

bool via_is_deepest(const struct vmm *vm, record_t id)
{
    return id && via_of(vm, id)->depth == VIAS_DEEP;
}

record_t via_add(struct vmm *vm, portal_t grant, record_t parent, record_t *reserve)
{
    record_t id = reserve_pop(vm, reserve);
    link_of(vm, id)->kind = RECORD_VIA;
    struct via *v = via_of(vm, id);
    *v = (struct via){.kind = RECORD_VIA, .depth = 1, .parent = parent};
    via_list(vm, id, grant);
    if (!parent)
        return id;
    struct via *p = via_of(vm, parent);
    v->depth = p->depth + 1;
    v->next = p->child;
    if (v->next)
        via_of(vm, v->next)->prev = id;
    p->child = id;
    return id;
}

static void via_free(struct vmm *vm, record_t id)
{
    const struct via *v = via_of(vm, id);
    via_unlist(vm, v);
    if (v->prev)
        via_of(vm, v->prev)->next = v->next;
    else if (v->parent)
        via_of(vm, v->parent)->child = v->next;
    if (v->next)
        via_of(vm, v->next)->prev = v->prev;
    record_free(vm, id);
}

void via_release(struct vmm *vm, record_t id)
{
    while (id) {
        const struct via *v = via_of(vm, id);
        record_t parent = v->parent;
        if (v->links | v->child | v->pager || v->is_held)
            return;
        via_free(vm, id);
        id = parent;
    }
}

void via_pass(struct vmm *vm, portal_t from, portal_t to)
{
    record_t id = portal_of(vm, from)->link;
    via_unlist(vm, via_of(vm, id));
    via_list(vm, id, to);
}

// The link of a table that names the entry, or that of `via` in its half. 0: there is none.
static record_t find_link(struct vmm *vm, pfn_t table, unsigned i, record_t via)
{
    unsigned word = i % LINK_ENTRIES / 64, n = 0;
    record_t id = frame_of(vm, table)->link;
    for (; id; n++) {
        const struct link *l = link_of(vm, id);
        if (l->half == i / LINK_ENTRIES && (via ? l->via == via : l->entries[word] >> i % 64 & 1))
            break;
        id = l->next_of_table;
    }
    vmm_spend(vm, n / 2);
    return id;
}

record_t link_via(struct vmm *vm, pfn_t table, unsigned i)
{
    record_t id = find_link(vm, table, i, 0);
    return id ? link_of(vm, id)->via : 0;
}

bool link_is_there(struct vmm *vm, pfn_t table, unsigned i, record_t via)
{
    return find_link(vm, table, i, via);
}

unsigned link_count(const struct vmm *vm, pfn_t table)
{
    unsigned n = 0;
    for (record_t id = frame_of(vm, table)->link; id; id = link_of(vm, id)->next_of_table)
        n++;
    return n;
}

// A link of that via for a half of a table, without entries yet.
static struct link *link_add(struct vmm *vm, pfn_t table, unsigned half, record_t via,
                             record_t *reserve)
{
    record_t id = reserve_pop(vm, reserve);
    struct link *l = link_of(vm, id);
    struct frame *f = frame_of(vm, table);
    struct via *v = via_of(vm, via);
    *l = (struct link){.kind = RECORD_LINK,
                       .half = (uint8_t)half,
                       .table = table,
                       .via = via,
                       .next = v->links,
                       .next_of_table = f->link};
    if (l->next)
        link_of(vm, l->next)->prev = id;
    if (l->next_of_table)
        link_of(vm, l->next_of_table)->prev_of_table = id;
    v->links = f->link = id;
    return l;
}

static void link_mark(struct link *l, unsigned i)
{
    l->entries[i % LINK_ENTRIES / 64] |= 1ull << i % 64;
}

bool link_join(struct vmm *vm, pfn_t table, unsigned i, record_t via)
{
    record_t id = find_link(vm, table, i, via);
    if (id)
        link_mark(link_of(vm, id), i);
    return id;
}

void link_set(struct vmm *vm, pfn_t table, unsigned i, record_t via, record_t *reserve)
{
    if (!link_join(vm, table, i, via))
        link_mark(link_add(vm, table, i / LINK_ENTRIES, via, reserve), i);
}

void link_copy(struct vmm *vm, pfn_t from, pfn_t to, record_t *reserve)
{
    for (record_t id = frame_of(vm, from)->link; id;) {
        const struct link *old = link_of(vm, id);
        struct link *l = link_add(vm, to, old->half, old->via, reserve);
        __builtin_memcpy(l->entries, old->entries, sizeof l->entries);
        vmm_spend(vm, WORK_LINK);
        id = old->next_of_table;
    }
}

void link_split(struct vmm *vm, pfn_t table, unsigned i, pfn_t child, record_t *reserve)
{
    record_t via = link_via(vm, table, i);
    for (unsigned half = 0; half < PTE_ENTRIES / LINK_ENTRIES; half++) {
        struct link *l = link_add(vm, child, half, via, reserve);
        __builtin_memset(l->entries, 0xff, sizeof l->entries);
    }
    link_clear(vm, table, i, 1);
}

void link_free(struct vmm *vm, record_t id)
{
    const struct link l = *link_of(vm, id);
    if (l.prev)
        link_of(vm, l.prev)->next = l.next;
    else
        via_of(vm, l.via)->links = l.next;
    if (l.next)
        link_of(vm, l.next)->prev = l.prev;
    if (l.prev_of_table)
        link_of(vm, l.prev_of_table)->next_of_table = l.next_of_table;
    else
        frame_of(vm, l.table)->link = l.next_of_table;
    if (l.next_of_table)
        link_of(vm, l.next_of_table)->prev_of_table = l.prev_of_table;
    record_free(vm, id);
    via_release(vm, l.via);
}

// Takes entries from..last of the table out of a link. True if none is left.
static bool link_cut(struct link *l, unsigned from, unsigned last)
{
    uint64_t left = 0;
    for (unsigned w = 0; w < LINK_WORDS; w++) {
        unsigned start = l->half * LINK_ENTRIES + w * 64;
        if (from < start + 64 && last >= start) {
            unsigned low = from > start ? from - start : 0;
            unsigned end = last - start < 63 ? last - start + 1 : 64;
            l->entries[w] &= ~(~0ull >> (64 - (end - low)) << low);
        }
        left |= l->entries[w];
    }
    return !left;
}

void link_clear(struct vmm *vm, pfn_t table, unsigned from, unsigned n)
{
    record_t id = n == 1 ? find_link(vm, table, from, 0) : frame_of(vm, table)->link;
    while (id) {
        struct link *l = link_of(vm, id);
        record_t next = n == 1 ? 0 : l->next_of_table;
        if (link_cut(l, from, from + n - 1))
            link_free(vm, id);
        vmm_spend(vm, WORK_LINK);
        id = next;
    }
}

void link_free_all(struct vmm *vm, pfn_t table)
{
    while (frame_of(vm, table)->link) {
        link_free(vm, frame_of(vm, table)->link);
        vmm_spend(vm, WORK_LINK);
    }
}

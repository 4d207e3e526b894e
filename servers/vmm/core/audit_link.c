// SPDX-License-Identifier: MIT
// Of lineage: what entries, links, vias and grants say of each other.
#include "audit.h"
#include "link.h"
#include "pager.h"
#include "pool.h"
#include "portal.h"
#include "table.h"

// Takes the entries of a link into those seen of its table. False: it is none.
static bool add_link(struct audit *a, pfn_t table, record_t id, record_t before,
                     uint64_t seen[PTE_ENTRIES / 64])
{
    if (!record_exists(a->vm, id, RECORD_LINK))
        return false;
    const struct link *l = link_of(a->vm, id);
    uint64_t any = 0, twice = 0;
    for (unsigned w = 0; w < LINK_WORDS; w++) {
        uint64_t *word = &seen[l->half * LINK_WORDS + w];
        any |= l->entries[w];
        twice |= *word & l->entries[w];
        *word |= l->entries[w];
    }
    if (!any || twice)
        audit_error(a, "a link has no entries, or another's", id);
    return l->table.n == table.n && l->prev_of_table == before &&
           record_exists(a->vm, l->via, RECORD_VIA);
}

void audit_table_links(struct audit *a, pfn_t table)
{
    uint64_t seen[PTE_ENTRIES / 64] = {0};
    record_t before = 0, id = frame_of(a->vm, table)->link;
    for (; id && add_link(a, table, id, before, seen); id = link_of(a->vm, id)->next_of_table)
        before = id;
    if (id)
        audit_error(a, "a table has a link that is none of its own", table.n);
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t e = table_load(a->vm, table, i);
        bool is_linked = pte_is_linked(e);
        if (is_linked != (seen[i / 64] >> i % 64 & 1))
            audit_error(a, "an entry and the links of its table disagree", table.n);
        if (is_linked && !(pte_is_leaf(e) && e.bits & PTE_SHARED))
            audit_error(a, "an entry that is no shared page has a link", table.n);
    }
}

static const struct via *find_via(const struct audit *a, record_t id)
{
    return record_exists(a->vm, id, RECORD_VIA) ? via_of(a->vm, id) : NULL;
}

static const struct link *find_link(const struct audit *a, record_t id)
{
    return record_exists(a->vm, id, RECORD_LINK) ? link_of(a->vm, id) : NULL;
}

// Whether the via is where its parent looks for it, and where its grant does.
static bool is_among_siblings(const struct audit *a, record_t id, const struct via *v)
{
    const struct via *before = find_via(a, v->prev), *parent = find_via(a, v->parent);
    if (v->parent && !parent)
        return false;
    return v->prev ? before && before->next == id : !parent || parent->child == id;
}

static bool is_at_grant(const struct audit *a, record_t id, const struct via *v)
{
    const struct via *before = find_via(a, v->prev_of_grant);
    if (!v->grant)
        return !v->prev_of_grant && !v->next_of_grant;
    const struct portal *grant = portal_of(a->vm, v->grant);
    return portal_is_grant(grant) &&
           (v->prev_of_grant ? before && before->next_of_grant == id : grant->link == id);
}

void audit_via(struct audit *a, record_t id)
{
    const struct via *v = via_of(a->vm, id), *child = find_via(a, v->child);
    const struct link *link = find_link(a, v->links);
    if (!(v->links | v->child | v->pager) && !v->is_held)
        audit_error(a, "nothing came by a via", id);
    if (v->links && (!link || link->via != id))
        audit_error(a, "a via has a link that is none of its own", id);
    if (v->child && (!child || child->parent != id))
        audit_error(a, "a via has a child that is none of its own", id);
    if (v->pager &&
        (!record_exists(a->vm, v->pager, RECORD_PAGER) || pager_of(a->vm, v->pager)->via != id))
        audit_error(a, "a via has a pager that is none of its own", id);
    if (!is_among_siblings(a, id, v) || !is_at_grant(a, id, v))
        audit_error(a, "a via is not where it belongs", id);
}

void audit_link(struct audit *a, record_t id)
{
    const struct link *l = link_of(a->vm, id), *before = find_link(a, l->prev),
                      *above = find_link(a, l->prev_of_table);
    const struct via *via = find_via(a, l->via);
    if (!l->table.n)
        return; // set aside for a job
    const struct frame *f = frame_of(a->vm, l->table);
    if (f->kind != FRAME_TABLE ||
        (l->prev_of_table ? !above || above->next_of_table != id : f->link != id))
        audit_error(a, "a link is not in its table's list", id);
    if (!via || (l->prev ? !before || before->next != id : via->links != id))
        audit_error(a, "a link is not in its via's list", id);
}

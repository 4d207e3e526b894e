// SPDX-License-Identifier: MIT
#include "tlb.h"

#include <assert.h>
#include <string.h>

#include "ipc/vmm_protocol.h"

static const vaddr_t *watched(const struct tlb *t, paddr_t root, unsigned *n)
{
    *n = root == TLB_GLOBAL ? t->n_global : t->n_user;
    return root == TLB_GLOBAL ? t->global : t->user;
}

static void walk_tag(const struct tlb *t, paddr_t root, vaddr_t va, struct walk *w)
{
    walk(t->memory, t->levels, root == TLB_GLOBAL ? t->global_root : root, va, w);
    if (root != TLB_GLOBAL && !w->is_user)
        w->rights = 0;
}

static struct tlb_tag *find_tag(struct tlb *t, paddr_t root)
{
    for (unsigned i = 0; i < TLB_TAGS; i++)
        if (t->tags[i].is_used && t->tags[i].root == root)
            return &t->tags[i];
    return NULL;
}

static struct tlb_tag *make_tag(struct tlb *t, paddr_t root)
{
    struct tlb_tag *tag = find_tag(t, root);
    for (unsigned i = 0; i < TLB_TAGS && !tag; i++)
        if (!t->tags[i].is_used)
            tag = &t->tags[i];
    assert(tag);
    tag->is_used = true;
    tag->root = root;
    return tag;
}

static struct tlb_line line_of(paddr_t address, unsigned level, unsigned rights)
{
    return (struct tlb_line){(uint32_t)(address >> PAGE_SHIFT), (uint8_t)level, (uint8_t)rights};
}

static void remember(struct tlb_tag *tag, unsigned cpu, unsigned i, const struct walk *w,
                     unsigned levels)
{
    if (w->end == WALK_PAGE && w->rights)
        tag->page[cpu][i] = line_of(w->address, w->level, w->rights);
    for (unsigned level = 1; level < levels; level++)
        if (w->table[level])
            tag->table[cpu][i][level] = line_of(w->table[level], level, w->above[level]);
}

static void forget(struct tlb_tag *tag, unsigned cpu, unsigned i)
{
    tag->page[cpu][i] = (struct tlb_line){0};
    memset(tag->table[cpu][i], 0, sizeof tag->table[cpu][i]);
}

// What a large page remembered at one address would answer for another one below it.
static bool covers(const struct tlb_line *line, vaddr_t at, vaddr_t va)
{
    return line->level && (at ^ va) >> (PAGE_SHIFT + 9 * (line->level - 1)) == 0;
}

static bool is_page_stale(const struct tlb *t, paddr_t root, const struct tlb_line *line,
                          vaddr_t at, vaddr_t va)
{
    struct walk w;
    uint32_t frame = line->frame + (uint32_t)((va >> PAGE_SHIFT) - (at >> PAGE_SHIFT));
    walk_tag(t, root, va, &w);
    return w.end != WALK_PAGE || w.address >> PAGE_SHIFT != frame || line->rights & ~w.rights;
}

static bool is_live(const struct tlb *t, const struct tlb_tag *tag)
{
    return tag->root == TLB_GLOBAL || t->is_root(t->context, tag->root);
}

// Whether a page remembered at the watched address `i` is stale, there or for another watched
// address.
static bool has_stale_page(const struct tlb *t, const struct tlb_tag *tag, unsigned cpu, unsigned i)
{
    unsigned n;
    const vaddr_t *vas = watched(t, tag->root, &n);
    const struct tlb_line *line = &tag->page[cpu][i];
    if (!line->level)
        return false;
    if (!is_live(t, tag))
        return true;
    if (line->level == 1)
        return is_page_stale(t, tag->root, line, vas[i], vas[i]);
    for (unsigned k = 0; k < n; k++)
        if (covers(line, vas[i], vas[k]) && is_page_stale(t, tag->root, line, vas[i], vas[k]))
            return true;
    return false;
}

// A table remembered is stale unless the walk passes it today, with no less rights. Answers its
// level, or 0.
static unsigned stale_table(const struct tlb *t, const struct tlb_tag *tag, unsigned cpu,
                            unsigned i, const struct walk *w)
{
    for (unsigned level = 1; level < t->levels; level++) {
        const struct tlb_line *line = &tag->table[cpu][i][level];
        if (line->level && (!is_live(t, tag) || w->table[level] >> PAGE_SHIFT != line->frame ||
                            line->rights & ~w->above[level]))
            return level;
    }
    return 0;
}

static unsigned find_stale_table(const struct tlb *t, const struct tlb_tag *tag, unsigned cpu,
                                 unsigned i)
{
    static const struct tlb_line nothing[WALK_LEVELS];
    struct walk w;
    unsigned n;
    if (!memcmp(tag->table[cpu][i], nothing, sizeof nothing))
        return 0;
    walk_tag(t, tag->root, watched(t, tag->root, &n)[i], &w);
    return stale_table(t, tag, cpu, i, &w);
}

// What the CPU would not do by what it remembers, though the tables allow it.
static bool is_refused(const struct tlb *t, const struct tlb_tag *tag, unsigned cpu, unsigned i,
                       unsigned access)
{
    const struct tlb_line *page = &tag->page[cpu][i];
    if (page->level)
        return !(page->rights & access);
    for (unsigned level = 1; level < t->levels; level++)
        if (tag->table[cpu][i][level].level && !(tag->table[cpu][i][level].rights & access))
            return true;
    return false;
}

enum tlb_answer tlb_access(struct tlb *t, unsigned cpu, paddr_t root, unsigned i, unsigned access,
                           paddr_t *address)
{
    struct tlb_tag *tag = make_tag(t, root);
    struct walk w;
    if (has_stale_page(t, tag, cpu, i) ||
        (!tag->page[cpu][i].level && find_stale_table(t, tag, cpu, i)))
        return TLB_STALE;
    walk_tag(t, root, t->user[i], &w);
    if (!walk_allows(&w, access) || is_refused(t, tag, cpu, i, access)) {
        forget(tag, cpu, i);
        return TLB_FAULT;
    }
    remember(tag, cpu, i, &w, t->levels);
    *address = w.address;
    return TLB_OK;
}

void tlb_speculate(struct tlb *t, paddr_t root)
{
    unsigned n;
    const vaddr_t *vas = watched(t, root, &n);
    struct tlb_tag *tag = make_tag(t, root);
    for (unsigned i = 0; i < n; i++) {
        struct walk w;
        walk_tag(t, root, vas[i], &w);
        remember(tag, 0, i, &w, t->levels);
    }
}

// A flush of one address takes all that is remembered of a large page around it (SDM 3A, 4.10.4.1).
static bool is_in_range(const struct tlb_line *line, vaddr_t at, vaddr_t va, uint64_t pages)
{
    uint64_t span = 1ull << 9 * (line->level - 1), first = at >> PAGE_SHIFT & ~(span - 1);
    uint64_t from = va >> PAGE_SHIFT;
    return !pages || (first < from + pages && from < first + span);
}

// A frame must not be free again before all CPUs have forgotten it.
static void check_frame(struct tlb *t, const struct tlb_line *line)
{
    t->n_late += t->is_free(t->context, (paddr_t)line->frame << PAGE_SHIFT);
}

static bool flush_line(struct tlb *t, struct tlb_tag *tag, unsigned cpu, unsigned i, vaddr_t va,
                       uint64_t pages)
{
    unsigned n;
    const vaddr_t *vas = watched(t, tag->root, &n);
    struct tlb_line *page = &tag->page[cpu][i];
    bool is_needed = false;
    if (page->level && is_in_range(page, vas[i], va, pages)) {
        is_needed = has_stale_page(t, tag, cpu, i);
        if (is_needed)
            check_frame(t, page);
        *page = (struct tlb_line){0};
    }
    unsigned level = find_stale_table(t, tag, cpu, i);
    if (level) {
        is_needed = true;
        check_frame(t, &tag->table[cpu][i][level]);
    }
    // Any flush in a space makes the CPU forget all tables of the space.
    memset(tag->table[cpu][i], 0, sizeof tag->table[cpu][i]);
    return is_needed;
}

static bool flush_tag(struct tlb *t, struct tlb_tag *tag, vaddr_t va, uint64_t pages)
{
    bool is_needed = false;
    for (unsigned cpu = 0; cpu < TLB_CPUS; cpu++)
        for (unsigned i = 0; i < TLB_WATCHED; i++)
            is_needed |= flush_line(t, tag, cpu, i, va, pages);
    // A CPU may still have the root of a space that went.
    if (!pages && !is_live(t, tag)) {
        is_needed = true;
        tag->is_used = false;
    }
    return is_needed;
}

void tlb_flush(struct tlb *t, paddr_t root, vaddr_t va, uint64_t pages)
{
    bool is_needed = false;
    for (unsigned i = 0; i < TLB_TAGS; i++) {
        struct tlb_tag *tag = &t->tags[i];
        if (tag->is_used && (tag->root == root || (root == TLB_ALL && tag->root != TLB_GLOBAL)))
            is_needed |= flush_tag(t, tag, va, pages);
    }
    t->last_pages = pages;
    t->n_flushes++;
    t->n_unneeded += !is_needed;
}

bool tlb_is_clean(const struct tlb *t, struct tlb_place *stale)
{
    for (unsigned k = 0; k < TLB_TAGS; k++) {
        const struct tlb_tag *tag = &t->tags[k];
        unsigned n;
        const vaddr_t *vas = watched(t, tag->root, &n);
        *stale = (struct tlb_place){0, tag->root, 0, true, t->levels};
        if (tag->is_used && !is_live(t, tag))
            return false;
        for (unsigned i = 0; tag->is_used && i < n; i++)
            for (unsigned cpu = 0; cpu < TLB_CPUS; cpu++) {
                bool has_page = has_stale_page(t, tag, cpu, i);
                unsigned level = find_stale_table(t, tag, cpu, i);
                *stale = (struct tlb_place){cpu, tag->root, vas[i], !has_page, level};
                if (has_page || level)
                    return false;
            }
    }
    return true;
}

void tlb_reset(struct tlb *t)
{
    for (unsigned i = 0; i < TLB_TAGS; i++)
        if (t->tags[i].is_used)
            t->tags[i] = (struct tlb_tag){0};
}

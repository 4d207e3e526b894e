// SPDX-License-Identifier: MIT
#include "audit.h"
#include "page.h"
#include "pool.h"
#include "probe_page.h"
#include "space.h"
#include "table.h"

static bool audit_is_checking(const struct audit *a)
{
    return !a->delta;
}

static bool is_frame_of_kind(const struct audit *a, pfn_t pfn, enum frame_kind kind)
{
    return pfn.n < a->vm->state->n_frames && frame_of(a->vm, pfn)->kind == kind;
}

static void check_page(struct audit *a, pte_t e, unsigned level)
{
    pfn_t pfn = frame_number(pte_address(e));
    unsigned prot = pte_prot(e);
    if (prot & ~pte_max(e) || (prot & PROT_W && prot & PROT_X))
        audit_error(a, "a page has more rights than it may", pfn.n);
    bool is_sole = page_is_sole(a->vm, pfn, level);
    if (e.bits != pte_arm(e, level, is_sole).bits && e.bits != pte_arm(e, level, false).bits)
        audit_error(a, "an entry does not say what it means, or W over a joint page", pfn.n);
}

static void audit_page(struct audit *a, pte_t e, unsigned level)
{
    pfn_t pfn = frame_number(pte_address(e));
    if (!is_frame_of_kind(a, pfn, FRAME_PAGE)) {
        audit_error(a, "an entry maps what is no page", pfn.n);
        return;
    }
    if (audit_is_checking(a))
        check_page(a, e, level);
    else
        page_count_add(a->vm, pfn, level, a->delta);
}

// A device's leaf: as all of them are, over nothing that is RAM, and below tables that say so.
static void audit_device(struct audit *a, pfn_t table, pte_t e, unsigned level)
{
    uint64_t first = pte_address(e) >> PAGE_SHIFT, end = first + pt_span(level);
    if (pte_prot(e) & ~pte_max(e) || pte_max(e) & PROT_X || !(e.bits & PTE_SHARED) ||
        e.bits != pte_arm(e, level, false).bits)
        audit_error(a, "a device entry does not say what it means", first);
    if (!(frame_of(a->vm, table)->flags & FRAME_DEVICE))
        audit_error(a, "a table does not know of the device below it", table.n);
    for (uint64_t pfn = first; pfn < end && pfn < a->vm->state->n_frames; pfn++)
        if (frame_of(a->vm, (pfn_t){(uint32_t)pfn})->kind != FRAME_ABSENT)
            audit_error(a, "a device entry maps RAM", pfn);
}

static void audit_table(struct audit *a, pfn_t table, unsigned level);

// A reference to a table. What is below is seen once, however many parents there are.
static void audit_child(struct audit *a, pfn_t table, unsigned level)
{
    if (!is_frame_of_kind(a, table, FRAME_TABLE)) {
        audit_error(a, "an entry points to what is no table", table.n);
        return;
    }
    struct frame *f = frame_of(a->vm, table);
    if (f->level != level)
        audit_error(a, "an entry points to a table of another level", table.n);
    f->refs += a->delta;
    if ((f->flags & FRAME_VISITED) == a->visited)
        return;
    f->flags ^= FRAME_VISITED;
    audit_table(a, table, level);
}

// No clone has a part in a table with device memory below it.
static void check_device_path(struct audit *a, pfn_t table, pfn_t child)
{
    const struct frame *f = frame_of(a->vm, child);
    if (f->flags & FRAME_DEVICE &&
        (f->refs != 1 || !(frame_of(a->vm, table)->flags & FRAME_DEVICE)))
        audit_error(a, "a table above device memory is not one space's alone", child.n);
}

static void audit_entry(struct audit *a, pfn_t table, pte_t e, unsigned level)
{
    if (pte_is_table(e, level)) {
        pfn_t child = frame_number(pte_address(e));
        if (audit_is_checking(a) && e.bits & PTE_W && child.n < a->vm->state->n_frames &&
            frame_of(a->vm, child)->refs != 1)
            audit_error(a, "W over a table with several parents", child.n);
        if (e.bits != pte_table(pte_address(e), e.bits & PTE_W).bits)
            audit_error(a, "an entry of a table is not permissive", child.n);
        if (audit_is_checking(a) && child.n < a->vm->state->n_frames)
            check_device_path(a, table, child);
        audit_child(a, child, level - 1);
    } else if (pte_is_device(e)) {
        audit_device(a, table, e, level);
    } else if (pte_has_page(e)) {
        audit_page(a, e, level);
    } else if (pte_is_paged(e) && !record_exists(a->vm, pte_pager(e), RECORD_PAGER)) {
        audit_error(a, "a page has a pager that is none", pte_pager(e));
    } else if (pte_prot(e) & ~pte_max(e)) {
        audit_error(a, "a lazy range has more rights than it may", pte_lazy_level(e));
    }
}

static void check_upper_half(struct audit *a, pfn_t root)
{
    for (unsigned i = PTE_ENTRIES / 2; i < PTE_ENTRIES; i++) {
        uint64_t wanted = i == ROOT_ENTRY_KERNEL  ? kernel_entry(a->vm).bits
                          : i == ROOT_ENTRY_PROBE ? probe_entry(a->vm).bits
                                                  : 0;
        if (table_load(a->vm, root, i).bits != wanted)
            audit_error(a, "the upper half of a root is not the kernel's", root.n);
    }
}

static void audit_table(struct audit *a, pfn_t table, unsigned level)
{
    const struct frame *f = frame_of(a->vm, table);
    bool is_root = level == a->vm->state->levels;
    unsigned used = 0;
    for (unsigned i = 0; i < (is_root ? PTE_ENTRIES / 2 : PTE_ENTRIES); i++) {
        pte_t e = table_load(a->vm, table, i);
        if (pte_is_empty(e))
            continue;
        used++;
        if (i < f->first || i > f->last)
            audit_error(a, "an entry lies outside its table's range", table.n);
        audit_entry(a, table, e, level);
    }
    if (used != f->used || (!used && !is_root && !(f->flags & FRAME_BARE)))
        audit_error(a, "a table's count of entries is wrong", table.n);
    if (audit_is_checking(a))
        audit_table_links(a, table);
    if (is_root)
        check_upper_half(a, table);
}

// A table of the object window maps nothing but kernel objects; boot's are RESERVED.
static void audit_window_table(struct audit *a, pfn_t table)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t e = table_load(a->vm, table, i);
        pfn_t pfn = frame_number(pte_address(e));
        if (pte_is_empty(e) || is_frame_of_kind(a, pfn, FRAME_RESERVED))
            continue;
        if (!is_frame_of_kind(a, pfn, FRAME_OBJECT) || e.bits & PTE_U)
            audit_error(a, "the window maps what is no kernel object", pfn.n);
        else
            frame_of(a->vm, pfn)->refs += a->delta;
    }
}

static void audit_window(struct audit *a)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t e = table_load(a->vm, a->vm->state->window, i);
        pfn_t table = frame_number(pte_address(e));
        if (pte_is_empty(e))
            continue;
        if (is_frame_of_kind(a, table, FRAME_TABLE))
            frame_of(a->vm, table)->refs += a->delta;
        audit_window_table(a, table);
    }
}

void audit_trees(struct audit *a)
{
    for (record_t id = a->vm->state->spaces; id; id = space_of(a->vm, id)->next)
        audit_child(a, space_of(a->vm, id)->root, a->vm->state->levels);
    for (pfn_t dead = a->vm->state->dead_tables; dead.n; dead = frame_of(a->vm, dead)->next)
        audit_table(a, dead, frame_of(a->vm, dead)->level);
    audit_window(a);
    if (!probe_page_is_intact(a->vm))
        audit_error(a, "the probe's tables hold something else", a->vm->state->probe.n);
    a->visited ^= FRAME_VISITED;
}

// SPDX-License-Identifier: MIT
#include "page_table.h"

#include "account.h"
#include "link.h"
#include "page.h"
#include "table.h"

struct spot pt_find(const struct vmm *vm, pfn_t root, uint64_t page)
{
    pfn_t table = root;
    bool is_joint = false;
    for (unsigned level = vm->state->levels;; level--) {
        pte_t e = table_load(vm, table, table_index(page, level));
        if (!pte_is_table(e, level))
            return (struct spot){e, level, table, page & ~(pt_span(level) - 1), is_joint};
        pfn_t child = frame_number(pte_address(e));
        if (frame_of(vm, child)->flags & FRAME_BARE)
            return (struct spot){PTE_NONE, level, table, page & ~(pt_span(level) - 1), is_joint};
        is_joint |= frame_of(vm, child)->refs > 1;
        table = child;
    }
}

bool entry_is_bare(const struct vmm *vm, pte_t e, unsigned level)
{
    if (!pte_is_table(e, level))
        return pte_is_empty(e);
    pfn_t table = frame_number(pte_address(e));
    const struct frame *f = frame_of(vm, table);
    if (level == 2)
        return !f->used;
    for (unsigned i = f->first; f->used && i <= f->last; i++)
        if (!entry_is_bare(vm, table_load(vm, table, i), level - 1))
            return false;
    return true;
}

bool table_is_free(const struct vmm *vm, pfn_t table, unsigned level, uint64_t first, uint64_t last)
{
    for (struct step s = step_first(first, last, level); s.is_valid; s = step_next(s, level)) {
        pte_t e = table_load(vm, table, s.i);
        if (s.is_whole || !pte_is_table(e, level)) {
            if (!entry_is_bare(vm, e, level))
                return false;
        } else if (!table_is_free(vm, frame_number(pte_address(e)), level - 1, s.from, s.to)) {
            return false;
        }
    }
    return true;
}

bool pt_is_free(const struct vmm *vm, pfn_t root, uint64_t first, uint64_t last)
{
    return table_is_free(vm, root, vm->state->levels, first, last);
}

void pt_init_root(struct vmm *vm, pfn_t root, pte_t entry)
{
    struct frame *f = frame_of(vm, root);
    f->level = (uint8_t)vm->state->levels;
    f->refs = 1;
    frame_zero(vm, root);
    // Not counted in `used`: that is of the user half.
    table_entries(vm, root)[ROOT_ENTRY_KERNEL] = entry;
}

void pt_clone_root(struct vmm *vm, pfn_t from, pfn_t to)
{
    if (table_share(vm, from, to))
        flush_space(vm, frame_address(from));
}

void pt_claim_root(struct vmm *vm, pfn_t root)
{
    const struct frame *f = frame_of(vm, root);
    for (unsigned i = f->first; f->used && i <= f->last; i++) {
        pte_t *e = table_entry(vm, root, i);
        if (pte_is_table(*e, f->level) && frame_of(vm, frame_number(pte_address(*e)))->refs == 1)
            e->bits |= PTE_W;
    }
}

// How many tables below `root` a path to the page has that must be copied, the first with several
// parents and all below it. False: it does not lead to level 1, or lineage would be to copy too.
static bool count_joint(const struct vmm *vm, pfn_t root, uint64_t page, unsigned *n)
{
    pfn_t table = root;
    *n = 0;
    for (unsigned level = vm->state->levels; level > 1; level--) {
        pte_t e = table_load(vm, table, table_index(page, level));
        if (!pte_is_table(e, level))
            return false;
        table = frame_number(pte_address(e));
        *n += *n || frame_of(vm, table)->refs > 1;
        if (*n && frame_of(vm, table)->link)
            return false;
    }
    return true;
}

static pfn_t copy_joint(struct vmm *vm, record_t account, pfn_t joint)
{
    pfn_t copy;
    invariant(frame_alloc(vm, account, FRAME_TABLE, &copy) == OK);
    table_copy(vm, joint, copy);
    frame_of(vm, joint)->refs--;
    return copy;
}

bool pt_own_path(struct vmm *vm, record_t account, pfn_t root, uint64_t page, unsigned *n)
{
    pfn_t table = root;
    if (!count_joint(vm, root, page, n) || account_check(vm, account, *n + 1) != OK ||
        *n >= vm->state->n_free)
        return false;
    vmm_spend(vm, *n * WORK_MANY);
    for (unsigned level = vm->state->levels; level > 1; level--) {
        pte_t *e = table_entry(vm, table, table_index(page, level));
        table = frame_number(pte_address(*e));
        if (frame_of(vm, table)->refs > 1)
            table = copy_joint(vm, account, table);
        *e = pte_table(frame_address(table), true);
    }
    return true;
}

void pt_drop(struct vmm *vm, pfn_t table)
{
    struct frame *f = frame_of(vm, table);
    if (--f->refs)
        return;
    f->next = vm->state->dead_tables;
    vm->state->dead_tables = table;
    vm->state->is_busy = true;
}

// What a dead table's entries refer to is given up. True if they are all zero now: to clear a few of
// them costs less than to zero the frame later.
static bool bury_leaves(struct vmm *vm, pte_t *entries, unsigned n)
{
    bool is_few = n <= PTE_ENTRIES / 8;
    page_drop_all(vm, entries, n);
    if (is_few)
        __builtin_memset(entries, 0, n * sizeof *entries);
    return is_few;
}

static void bury_children(struct vmm *vm, pte_t *entries, unsigned n, unsigned level)
{
    for (unsigned i = table_next(entries, 0, n); i < n; i = table_next(entries, i + 1, n)) {
        pfn_t pfn = frame_number(pte_address(entries[i]));
        if (pte_is_table(entries[i], level)) {
            pt_drop(vm, pfn);
        } else if (pte_has_page(entries[i])) {
            page_drop(vm, pfn, level);
            vmm_spend(vm, WORK_MANY);
        }
        entries[i] = PTE_NONE;
    }
}

static void table_bury(struct vmm *vm, pfn_t table)
{
    const struct frame *f = frame_of(vm, table);
    pte_t *entries = table_entries(vm, table) + f->first;
    unsigned n = f->used ? f->last - f->first + 1u : 0;
    bool is_zero = true;
    link_free_all(vm, table);
    vmm_spend(vm, 8 + f->used * WORK_FREE);
    if (f->level > 1)
        bury_children(vm, entries, n, f->level);
    else if (n)
        is_zero = bury_leaves(vm, entries, n);
    if (is_zero)
        frame_free_zero(vm, table);
    else
        frame_free(vm, table);
}

bool pt_bury(struct vmm *vm)
{
    pfn_t *head = &vm->state->dead_tables;
    while (head->n && !vmm_is_spent(vm)) {
        pfn_t table = *head;
        *head = frame_of(vm, table)->next;
        table_bury(vm, table);
    }
    return !head->n;
}

// `start`: the page for which the table's first entry speaks.
static void count_table(struct vmm *vm, pfn_t table, uint64_t start, struct pt_count *c)
{
    const struct frame *f = frame_of(vm, table);
    uint64_t span = pt_span(f->level);
    unsigned i = f->first;
    if (c->next <= start)
        c->tables++;
    else if (start + i * span < c->next)
        i = (unsigned)((c->next - start) / span);
    for (; f->used && i <= f->last && !vmm_is_spent(vm); i++) {
        pte_t e = table_load(vm, table, i);
        uint64_t page = start + i * span;
        bool is_table = pte_is_table(e, f->level);
        if (is_table)
            count_table(vm, frame_number(pte_address(e)), page, c);
        else if (pte_has_page(e))
            c->pages += span;
        if (!is_table || !vmm_is_spent(vm))
            c->next = page + span;
        vmm_spend(vm, 1);
    }
}

bool pt_count(struct vmm *vm, pfn_t root, struct pt_count *c)
{
    if (c->next >= vm->state->user_pages)
        return true;
    count_table(vm, root, 0, c);
    return !vmm_is_spent(vm);
}

// What boot's entry at level 1 allows.
static unsigned boot_prot(pte_t e)
{
    return PROT_R | (e.bits & PTE_W ? PROT_W : 0) | (e.bits & PTE_NX ? 0 : PROT_X);
}

static status_t adopt_entry(struct vmm *vm, pfn_t table, unsigned level, unsigned i,
                            record_t account)
{
    pte_t e = table_load(vm, table, i);
    pfn_t pfn = frame_number(pte_address(e));
    if (pte_address(e) >> PAGE_SHIFT >= vm->state->n_frames || (e.bits & PTE_PS && level > 1))
        return E_FORMAT;
    struct frame *f = frame_of(vm, pfn);
    if (f->kind != (level > 1 ? FRAME_TABLE : FRAME_PAGE) || f->refs)
        return E_FORMAT;
    f->account = account;
    if (level > 1) {
        status_t status = pt_adopt(vm, pfn, level - 1, account);
        if (status != OK)
            return status;
        e = pte_table(pte_address(e), true);
    } else {
        f->refs = 1;
        unsigned max = PROT_R | PROT_W | PROT_X;
        e = pte_page(pte_address(e), 1, boot_prot(e), max, 0, true);
    }
    table_entries(vm, table)[i] = PTE_NONE;
    table_store(vm, table, i, e);
    return OK;
}

status_t pt_adopt(struct vmm *vm, pfn_t table, unsigned level, record_t account)
{
    struct frame *f = frame_of(vm, table);
    unsigned n = level == vm->state->levels ? PTE_ENTRIES / 2 : PTE_ENTRIES;
    f->level = (uint8_t)level;
    f->refs = 1;
    f->account = account;
    for (unsigned i = 0; i < n; i++) {
        if (!pte_is_present(table_load(vm, table, i)))
            continue;
        status_t status = adopt_entry(vm, table, level, i, account);
        if (status != OK)
            return status;
    }
    return OK;
}

// SPDX-License-Identifier: MIT
#include "leaf.h"

#include "link.h"
#include "page.h"

at_once bool leaf_map(struct vmm *vm, record_t account, pfn_t root, uint64_t page, unsigned prot)
{
    struct leaf leaf;
    pfn_t pfn;
    if (!leaf_find(vm, root, page, &leaf) || !pte_is_empty(*leaf.entry))
        return false;
    // The table's last empty entry: it may become one with the others.
    if (leaf.record->used == PTE_ENTRIES - 1 || frame_alloc(vm, account, FRAME_PAGE, &pfn) != OK)
        return false;
    frame_zero(vm, pfn);
    *leaf.entry = pte_page(frame_address(pfn), 1, prot, PROT_R | PROT_W | PROT_X, 0, true);
    table_count_in(leaf.record, leaf.i);
    return true;
}

at_once bool leaf_unmap(struct vmm *vm, pfn_t root, uint64_t page)
{
    struct leaf leaf;
    // A table without an entry would have to go.
    if (!leaf_find(vm, root, page, &leaf) || leaf.record->used <= 1)
        return false;
    pte_t old = *leaf.entry;
    if (pte_is_empty(old))
        return true;
    *leaf.entry = PTE_NONE;
    table_count_out(leaf.record, leaf.i);
    if (pte_is_linked(old))
        link_clear(vm, leaf.table, leaf.i, 1);
    if (pte_is_present(old))
        flush_page_now(vm, frame_address(root), page << PAGE_SHIFT);
    if (pte_has_page(old))
        page_drop(vm, frame_number(pte_address(old)), 1);
    return true;
}

static bool leaf_fill(struct vmm *vm, record_t account, const struct leaf *leaf, pte_t lazy)
{
    pfn_t pfn;
    if (pte_lazy_level(lazy) > 1 || frame_alloc(vm, account, FRAME_PAGE, &pfn) != OK)
        return false;
    frame_zero(vm, pfn);
    *leaf->entry = pte_page(frame_address(pfn), 1, pte_prot(lazy), pte_max(lazy), 0, true);
    return true;
}

static bool leaf_copy(struct vmm *vm, record_t account, pfn_t root, const struct leaf *leaf,
                      pte_t old)
{
    pfn_t pfn;
    if (frame_alloc(vm, account, FRAME_PAGE, &pfn) != OK)
        return false;
    frame_copy(vm, pfn, frame_number(pte_address(old)));
    *leaf->entry = pte_page(frame_address(pfn), 1, pte_prot(old), pte_max(old), 0, true);
    if (pte_is_present(old))
        flush_page_now(vm, frame_address(root), leaf->page << PAGE_SHIFT);
    page_drop(vm, frame_number(pte_address(old)), 1);
    return true;
}

at_once bool leaf_own(struct vmm *vm, record_t account, pfn_t root, const struct leaf *leaf)
{
    pte_t *e = leaf->entry;
    if (pte_is_lazy(*e)) {
        if (!leaf_fill(vm, account, leaf, *e))
            return false;
    } else if (!(e->bits & PTE_SHARED) && !page_is_sole(vm, frame_number(pte_address(*e)), 1)) {
        if (!leaf_copy(vm, account, root, leaf, *e))
            return false;
    } else {
        *e = pte_arm(*e, 1, true);
    }
    return !table_may_join(vm, leaf->table, leaf->i);
}

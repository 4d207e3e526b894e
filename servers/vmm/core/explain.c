// SPDX-License-Identifier: MIT
#include "explain.h"

#include "compare.h"
#include "link.h"
#include "space.h"
#include "table.h"
#include "text.h"

#define GRANTS_LOGGED 4u

// What an entry lets user code do (SDM 3A, 4.6).
static unsigned entry_prot(pte_t e)
{
    if (!pte_is_present(e) || !(e.bits & PTE_U))
        return 0;
    return PROT_R | (e.bits & PTE_W ? PROT_W : 0) | (e.bits & PTE_NX ? 0 : PROT_X);
}

void explain(const struct vmm *vm, pfn_t root, uint64_t page, struct explained *e)
{
    unsigned prot = PROT_R | PROT_W | PROT_X;
    pfn_t table = root;
    *e = (struct explained){.spot = pt_find(vm, root, page)};
    for (unsigned level = vm->state->levels; level; level--) {
        pte_t pte = table_load(vm, table, table_index(page, level));
        prot &= entry_prot(pte);
        e->at[e->n++] = (struct explained_level){pte, level, prot};
        if (!pte_is_table(pte, level))
            break;
        table = frame_number(pte_address(pte));
    }
}

enum explain_outcome explain_outcome(const struct explained *e, unsigned access)
{
    if (e->at[e->n - 1].prot & access)
        return EXPLAIN_ALLOWED;
    return pte_prot(e->spot.pte) & access ? EXPLAIN_AFTER_FAULT : EXPLAIN_REFUSED;
}

unsigned explain_denies(const struct explained *e, unsigned access)
{
    if (explain_outcome(e, access) == EXPLAIN_REFUSED)
        return e->at[e->n - 1].level;
    for (unsigned i = 0; i < e->n; i++)
        if (!(e->at[i].prot & access))
            return e->at[i].level;
    return 0;
}

record_t explain_payer(const struct vmm *vm, const struct explained *e)
{
    pte_t pte = e->spot.pte;
    return pte_has_page(pte) ? frame_of(vm, frame_number(pte_address(pte)))->account : 0;
}

// A grant that is gone has left its vias without one: what was derived from it stays.
bool explain_grant(struct vmm *vm, const struct explained *e, unsigned n,
                   const struct portal **grant, enum explain_kind *kind)
{
    uint64_t page = e->spot.start;
    record_t via = pte_is_linked(e->spot.pte)
                       ? link_via(vm, e->spot.table, table_index(page, e->spot.level))
                       : 0;
    *kind = EXPLAIN_SHARED;
    for (; via; via = via_of(vm, via)->parent) {
        for (portal_t at = via_of(vm, via)->grant; at; at = (*grant)->parent) {
            *grant = portal_of(vm, at);
            if ((*grant)->kind == PORTAL_GONE)
                continue;
            if (!n--)
                return true;
            *kind = EXPLAIN_DERIVED;
        }
        *kind = EXPLAIN_SHARED_ON;
    }
    return false;
}

static void add_prot(struct text *t, unsigned prot)
{
    const char word[] = {prot & PROT_R ? 'r' : '-', prot & PROT_W ? 'w' : '-',
                         prot & PROT_X ? 'x' : '-', '\0'};
    text_add(t, word);
}

static void add_entry(struct text *t, pte_t e)
{
    text_add(t, pte_is_empty(e)    ? "nothing"
                : pte_is_lazy(e)   ? "a lazy range "
                : pte_is_paged(e)  ? "a pager's range "
                : pte_is_device(e) ? "a device "
                                   : "a page ");
    if (pte_is_empty(e))
        return;
    add_prot(t, pte_prot(e));
    text_add(t, " of at most ");
    add_prot(t, pte_max(e));
}

static void log_walk(struct vmm *vm, const struct explained *e, unsigned access)
{
    struct text line = {.len = 0};
    text_add(&line, "vmm:  ");
    for (unsigned i = 0; i < e->n; i++) {
        text_add(&line, " ");
        text_add_decimal(&line, e->at[i].level);
        text_add(&line, ":");
        add_prot(&line, e->at[i].prot);
    }
    text_add(&line, ", at level ");
    text_add_decimal(&line, e->at[e->n - 1].level);
    text_add(&line, " ");
    add_entry(&line, e->spot.pte);
    text_add(&line, pte_prot(e->spot.pte) & access ? ", whose page could not be had"
                    : access == PROT_W             ? ", which is not w"
                    : access == PROT_X             ? ", which is not x"
                                                   : ", which is not r");
    vm->ports->log(vm->context, line.bytes);
}

static void log_payer(struct vmm *vm, const struct explained *e)
{
    struct text line = {.len = 0};
    const struct portal *grant;
    enum explain_kind kind;
    text_add(&line, "vmm:   account ");
    text_add_decimal(&line, explain_payer(vm, e));
    text_add(&line, " pays for the frame");
    for (unsigned n = 0; n < GRANTS_LOGGED && explain_grant(vm, e, n, &grant, &kind); n++) {
        text_add(&line, kind == EXPLAIN_DERIVED ? " <" : ", through space ");
        if (kind != EXPLAIN_DERIVED)
            text_add_decimal(&line, grant->owner);
        text_add(&line, " ");
        text_add_hex(&line, (uint64_t)grant->first << PAGE_SHIFT);
        text_add(&line, "+");
        text_add_decimal(&line, grant->n_pages);
        text_add(&line, " ");
        add_prot(&line, grant->rights);
    }
    vm->ports->log(vm->context, line.bytes);
}

void explain_log(struct vmm *vm, record_t space, vaddr_t address, unsigned access)
{
    struct explained e;
    if (address >> PAGE_SHIFT >= vm->state->user_pages)
        return;
    explain(vm, space_of(vm, space)->root, address >> PAGE_SHIFT, &e);
    log_walk(vm, &e, access);
    if (pte_has_page(e.spot.pte))
        log_payer(vm, &e);
}

// SPDX-License-Identifier: MIT
// What the VMM says of the pages: QUERY against the model and the software MMU, MAPS and DIFF
// against QUERY.
#include <string.h>

#include "lockstep.h"

#define ASKS_MAX 4096u // more stretches than the universe can have

static unsigned expected_flags(const struct cell *c, unsigned flags)
{
    bool is_mapped = c->kind == CELL_PAGE || (c->size > 1 && flags & PAGE_MAPPED);
    if (c->kind == CELL_NONE)
        return 0;
    return c->prot | (is_mapped ? PAGE_MAPPED : PAGE_LAZY) | (c->is_shared ? PAGE_SHARED : 0);
}

// What an answer says of frame and size, against the software MMU.
static bool compare_walk(struct lockstep *l, unsigned name, const uint64_t *words, vaddr_t va)
{
    const unsigned sizes = PAGE_2M | PAGE_1G;
    unsigned long long at = va;
    unsigned flags = (unsigned)words[3];
    struct walk w;
    walk(&l->sut.board.memory, l->sut.board.tlb.levels, sut_root(&l->sut, name), va, &w);
    if (w.end != WALK_PAGE)
        return true;
    if (w.address != words[4] + (va - words[1]))
        return lockstep_fail(l, "query 0x%llx: another frame", at);
    if ((flags & sizes) != (w.level == 3 ? PAGE_1G : w.level == 2 ? PAGE_2M : 0))
        return lockstep_fail(l, "query 0x%llx: another size of page", at);
    if (w.rights & PROT_W && flags & PAGE_COW)
        return lockstep_fail(l, "query 0x%llx: cow, but it can be written", at);
    return true;
}

static bool compare_query(struct lockstep *l, unsigned name, unsigned plot)
{
    uint64_t words[MESSAGE_WORDS];
    const struct cell *c = &l->model.cells[l->model.names[name].space][plot];
    vaddr_t va = plot_va(l->u, plot);
    unsigned long long at = va;
    status_t status = sut_ask(&l->sut, VMM_QUERY, name, name, va, words);
    unsigned flags = (unsigned)words[3];
    unsigned expected = expected_flags(c, flags);
    if (status != OK)
        return lockstep_fail(l, "query 0x%llx: %s", at, status_name(status));
    if ((flags & ~(PAGE_COW | PAGE_2M | PAGE_1G)) != expected)
        return lockstep_fail(l, "query 0x%llx: 0x%x, not 0x%x", at, flags, expected);
    if (va < words[1] || (va - words[1]) >> PAGE_SHIFT >= words[2])
        return lockstep_fail(l, "query 0x%llx: about other pages", at);
    return compare_walk(l, name, words, va);
}

// The stretches that MAPS or DIFF answers: marks the plots whose first page is in one.
static bool collect(struct lockstep *l, enum vmm_request request, unsigned name, unsigned other,
                    bool is_in[PLOTS_MAX])
{
    uint64_t words[MESSAGE_WORDS];
    vaddr_t va = 0;
    for (unsigned n = 0; n < ASKS_MAX; n++) {
        status_t status = sut_ask(&l->sut, request, name, other, va, words);
        if (status != OK && status != E_MORE)
            return lockstep_fail(l, "maps or diff: %s", status_name(status));
        if (status == OK && !words[2])
            return true;
        if (words[1] < va || words[1] & PAGE_MASK)
            return lockstep_fail(l, "maps or diff goes back, at 0x%llx", (unsigned long long)va);
        va = words[1] + (status == OK ? words[2] << PAGE_SHIFT : 0);
        for (unsigned i = 0; i < l->u->n && status == OK; i++)
            is_in[i] |= plot_va(l->u, i) >= words[1] && plot_va(l->u, i) < va;
    }
    return lockstep_fail(l, "maps or diff does not end");
}

static bool is_in_window(const struct name *n, unsigned plot)
{
    return plot >= n->first && plot < n->first + n->n;
}

static bool compare_maps(struct lockstep *l, unsigned name)
{
    const struct name *n = &l->model.names[name];
    bool is_in[PLOTS_MAX] = {false};
    if (!collect(l, VMM_MAPS, name, name, is_in))
        return false;
    for (unsigned i = 0; i < l->u->n; i++)
        if (is_in[i] != (is_in_window(n, i) && l->model.cells[n->space][i].kind != CELL_NONE))
            return lockstep_fail(l, "maps: wrong about 0x%llx",
                                 (unsigned long long)plot_va(l->u, i));
    return true;
}

bool compare_answers(struct lockstep *l, unsigned name)
{
    const struct name *n = &l->model.names[name];
    for (unsigned i = n->first; i < n->first + n->n; i++)
        if (!compare_query(l, name, i))
            return false;
    return compare_maps(l, name);
}

// A page has changed if its frame, its rights or what it is differ: as QUERY tells.
static bool has_changed(struct lockstep *l, unsigned name, unsigned other, unsigned plot)
{
    uint64_t a[MESSAGE_WORDS], b[MESSAGE_WORDS];
    const unsigned kinds = PAGE_MAPPED | PAGE_LAZY | PROT_R | PROT_W | PROT_X;
    vaddr_t va = plot_va(l->u, plot);
    status_t status = sut_ask(&l->sut, VMM_QUERY, name, name, va, a);
    if (status == OK)
        status = sut_ask(&l->sut, VMM_QUERY, other, other, va, b);
    if (status != OK || (a[3] ^ b[3]) & kinds)
        return true;
    return a[3] & PAGE_MAPPED && a[4] + (va - a[1]) != b[4] + (va - b[1]);
}

bool compare_diff(struct lockstep *l, unsigned name, unsigned other)
{
    bool is_in[PLOTS_MAX] = {false};
    if (!collect(l, VMM_DIFF, name, other, is_in))
        return false;
    const struct name *a = &l->model.names[name], *b = &l->model.names[other];
    for (unsigned i = 0; i < l->u->n; i++)
        if (is_in[i] !=
            (is_in_window(a, i) && is_in_window(b, i) && has_changed(l, name, other, i)))
            return lockstep_fail(l, "diff: wrong about 0x%llx",
                                 (unsigned long long)plot_va(l->u, i));
    return true;
}

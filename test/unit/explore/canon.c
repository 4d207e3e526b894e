// SPDX-License-Identifier: MIT
// What makes a state, in numbers that do not depend on where anything lies: tables, pages and
// contents are numbered in the order in which they are met.
#include <string.h>

#include "explore.h"
#include "servers/vmm/core/link.h"

#define FRAMES_SEEN 256u // a tiny machine has fewer

struct canon {
    const struct lockstep *l;
    uint64_t sum;
    uint16_t frames[FRAMES_SEEN]; // their numbers; 0: not met
    uint16_t contents[CONTENTS];
    uint16_t n_frames, n_contents;
};

static void mix(struct canon *c, uint64_t word)
{
    c->sum = (c->sum ^ word) * 0x9e3779b97f4a7c15ull;
    c->sum ^= c->sum >> 29;
}

// True at the first meeting.
static bool meet(struct canon *c, pfn_t pfn)
{
    bool is_new = !c->frames[pfn.n % FRAMES_SEEN];
    if (is_new)
        c->frames[pfn.n % FRAMES_SEEN] = ++c->n_frames;
    mix(c, c->frames[pfn.n % FRAMES_SEEN]);
    return is_new;
}

static void add_table(struct canon *c, pfn_t table, unsigned level)
{
    const struct vmm *vm = &c->l->sut.board.vm;
    const struct frame *f = frame_of(vm, table);
    if (!meet(c, table))
        return;
    mix(c, f->refs | (uint64_t)link_count(vm, table) << 32);
    for (unsigned i = f->first; f->used && i <= f->last; i++) {
        pte_t e = ((const pte_t *)frame_at(vm, table))[i];
        if (pte_is_empty(e))
            continue;
        mix(c, i);
        mix(c, pte_has_page(e) ? e.bits & ~PTE_ADDR : e.bits & (PTE_P | PTE_W | ~PTE_ADDR));
        if (pte_is_table(e, level))
            add_table(c, frame_number(pte_address(e)), level - 1);
        else if (pte_has_page(e) && meet(c, frame_number(pte_address(e))))
            mix(c, frame_of(vm, frame_number(pte_address(e)))->refs);
    }
}

static void add_cell(struct canon *c, const struct cell *cell)
{
    mix(c, cell->kind | cell->prot << 4 | cell->max << 8 | cell->is_shared << 12 |
               cell->rest << 16 | (uint64_t)cell->through << 32);
    if (cell->kind != CELL_PAGE)
        return;
    if (!c->contents[cell->content])
        c->contents[cell->content] = ++c->n_contents;
    mix(c, c->contents[cell->content]);
    mix(c, c->l->model.contents[cell->content].value);
}

uint64_t canon_sum(const struct lockstep *l)
{
    struct canon c = {.l = l, .sum = 1};
    for (unsigned name = 0; name < NAMES; name++) {
        const struct name *n = &l->model.names[name];
        mix(&c, n->is_live ? n->space + 1u : n->is_revoked ? SPACES + 1u : 0);
        if (!n->is_live)
            continue;
        mix(&c, n->rights | (uint64_t)n->taken_with << 16 | (uint64_t)n->is_snapshot << 32 |
                    (uint64_t)n->parent << 40);
        for (unsigned i = 0; i < l->u->n; i++)
            add_cell(&c, &l->model.cells[n->space][i]);
        add_table(&c, frame_number(sut_root(&l->sut, name)), l->sut.board.tlb.levels);
    }
    return c.sum;
}

// SPDX-License-Identifier: MIT
// How much memory an operation could possibly need, generously.
#include "lockstep.h"
#include "servers/vmm/core/block.h"

// Frames of records, portals, the object window and a root; each may have to begin a new one.
#define NEED_NAME 8u

static uint64_t need_tables(uint64_t pages, unsigned levels)
{
    return pages / 256 + 6 * levels + 4;
}

// Pages of the range that exist or may exist already: their tables may have to be copied.
static uint64_t real_pages(const struct model *m, unsigned space, unsigned first, unsigned n)
{
    uint64_t pages = 0;
    for (unsigned i = first; i < first + n; i++) {
        const struct cell *c = &m->cells[space][i];
        if (c->kind == CELL_PAGE || (c->kind == CELL_LAZY && c->size > 1))
            pages += plot_pages(m->u, i);
    }
    return pages;
}

uint64_t need_frames(const struct model *m, const struct op *op, unsigned levels)
{
    unsigned space = m->names[op->name].space;
    uint64_t all = range_pages(m->u, op->first, op->n);
    uint64_t real = real_pages(m, space, op->first, op->n);
    switch (op->kind) {
    case OP_CREATE:
    case OP_DERIVE:
    case OP_SNAPSHOT:
        return NEED_NAME;
    case OP_CLONE:
        real = op->flags == CLONE_COPY ? real_pages(m, space, 0, m->u->n) : 0;
        return NEED_NAME + real + need_tables(real, levels);
    case OP_MAP:
        real = op->flags & MAP_LAZY ? 0 : all;
        return real + need_tables(real, levels);
    case OP_UNMAP:
    case OP_PROTECT:
        return need_tables(real, levels);
    case OP_SHARE:
    case OP_MOVE:
        return all + 2 * need_tables(all, levels);
    case OP_DROP:
    case OP_REVOKE:
    case OP_ROLLBACK:
    case OP_DIFF:
        return 0;
    default:
        // One page: where a large one cannot be had, a small one does.
        return 1 + need_tables(1, levels);
    }
}

// Large pages, those asked for and copies of those that are there, need frames in a row.
static bool lacks_blocks(const struct lockstep *l, const struct model *m, const struct op *op)
{
    uint64_t pages = range_pages(l->u, op->first, op->n);
    if (op->kind == OP_CLONE && op->flags == CLONE_COPY)
        pages = real_pages(m, m->names[op->name].space, 0, l->u->n);
    else if (op->kind == OP_MAP ? op->flags & MAP_LAZY || !(op->flags & (MAP_2M | MAP_1G))
                                : op->kind != OP_SHARE && op->kind != OP_MOVE)
        return false;
    for (unsigned level = 2; level <= BLOCK_LEVELS; level++)
        if (block_count(&l->sut.board.vm, level) < pages >> level_order(level))
            return true;
    return false;
}

static bool is_short(struct lockstep *l, const struct model *m, const struct op *op,
                     status_t status)
{
    uint64_t need = need_frames(m, op, l->sut.board.tlb.levels);
    if (!m->names[op->name].is_live || !m->names[op->other].is_live)
        return false;
    if (status == E_NOMEM)
        return l->sut.board.vm.state->n_free < need || lacks_blocks(l, m, op);
    if (op->quota && op->quota < need)
        return true;
    return sut_quota_left(&l->sut, op->name) < need + op->quota ||
           (op->other != op->name && sut_quota_left(&l->sut, op->other) < need);
}

struct need_short need_measure(struct lockstep *l, const struct model *m, const struct op *op)
{
    return (struct need_short){is_short(l, m, op, E_NOMEM), is_short(l, m, op, E_QUOTA)};
}

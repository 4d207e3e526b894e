// SPDX-License-Identifier: MIT
// Which errors are due: by DESIGN's words, in no order, for it names none.
#include "ipc/status.h"
#include "model.h"

static uint32_t judge_twist(const struct op *op)
{
    return op->twist ? ERROR(E_INVAL) : 0;
}

static uint32_t judge_rights(const struct model *m, unsigned name, unsigned rights)
{
    return rights & ~(unsigned)m->names[name].rights ? ERROR(E_RIGHT) : 0;
}

static uint32_t judge_window(const struct model *m, unsigned name, unsigned first, unsigned n)
{
    const struct name *w = &m->names[name];
    bool is_inside = w->is_whole || (first >= w->first && first + n <= w->first + w->n);
    return is_inside ? 0 : ERROR(E_RIGHT);
}

static uint32_t judge_prot(unsigned prot)
{
    if (prot && !(prot & PROT_R))
        return ERROR(E_INVAL);
    return prot & PROT_W && prot & PROT_X ? ERROR(E_WX) : 0;
}

static uint32_t judge_size(const struct model *m, const struct op *op)
{
    uint64_t pages = op->flags & MAP_1G ? 1u << 18 : op->flags & MAP_2M ? 1u << 9 : 1;
    uint64_t first = m->u->first[op->first], n = range_pages(m->u, op->first, op->n);
    return (first | n) & (pages - 1) ? ERROR(E_INVAL) : 0;
}

// Whether any plot is mapped (`sought`) or any is not.
static bool has_cell(const struct cell *cells, unsigned first, unsigned n, bool sought)
{
    for (unsigned i = first; i < first + n; i++)
        if ((cells[i].kind != CELL_NONE) == sought)
            return true;
    return false;
}

static uint32_t judge_max(const struct cell *cells, const struct op *op)
{
    for (unsigned i = op->first; i < op->first + op->n; i++)
        if (cells[i].kind != CELL_NONE && op->prot & ~cells[i].max)
            return ERROR(E_RIGHT);
    return 0;
}

static uint32_t judge_edit(const struct model *m, const struct op *op)
{
    const struct cell *cells = m->cells[m->names[op->name].space];
    uint32_t errors = judge_twist(op) | judge_rights(m, op->name, RIGHT_MAP) |
                      judge_window(m, op->name, op->first, op->n);
    if (op->kind == OP_UNMAP)
        return errors;
    errors |= judge_prot(op->prot) | judge_rights(m, op->name, op->prot);
    if (op->kind == OP_PROTECT)
        return errors | judge_max(cells, op);
    errors |= judge_size(m, op);
    if (!(op->flags & MAP_REPLACE) && has_cell(cells, op->first, op->n, true))
        errors |= ERROR(E_EXISTS);
    return errors;
}

static uint32_t judge_transfer(const struct model *m, const struct op *op)
{
    const struct cell *from = m->cells[m->names[op->name].space];
    const struct cell *to = m->cells[m->names[op->other].space];
    uint32_t errors = judge_twist(op) | judge_prot(op->prot) | judge_max(from, op);
    errors |= judge_rights(m, op->name, RIGHT_SHARE | op->prot);
    errors |= judge_rights(m, op->other, RIGHT_MAP | op->prot);
    errors |= judge_window(m, op->name, op->first, op->n);
    errors |= judge_window(m, op->other, op->at, op->n);
    if (has_cell(from, op->first, op->n, false))
        errors |= ERROR(E_FAULT);
    if (has_cell(to, op->at, op->n, true))
        errors |= ERROR(E_EXISTS);
    // A range moved onto itself or shared with itself is never empty there.
    return errors;
}

// What a snapshot holds was seen with its taker's rights: more must not come of it.
static uint32_t judge_rollback(const struct model *m, const struct op *op)
{
    unsigned rights = m->names[op->name].rights & (RIGHT_WRITE | RIGHT_EXECUTE);
    uint32_t errors = judge_rights(m, op->name, RIGHT_MAP | RIGHT_READ) |
                      judge_rights(m, op->other, RIGHT_CLONE | RIGHT_READ);
    bool is_wider = rights & ~model_clone_rights(m, op->other);
    return errors | (is_wider || !m->names[op->name].is_whole ? ERROR(E_RIGHT) : 0);
}

static uint32_t judge_revoke(const struct model *m, const struct op *op)
{
    bool comes_from = model_family(m, op->name) & 1u << op->other;
    return judge_rights(m, op->name, RIGHT_DERIVE) |
           (comes_from || m->names[op->other].is_revoked ? 0 : ERROR(E_RIGHT));
}

static uint32_t judge_access(const struct model *m, const struct op *op)
{
    unsigned access = op->kind == OP_WRITE ? PROT_W : op->kind == OP_READ ? PROT_R : PROT_X;
    const struct cell *c = model_cell(m, op);
    return c->kind != CELL_NONE && c->prot & access ? 0 : ERROR(E_FAULT);
}

static uint32_t judge_request(const struct model *m, const struct op *op)
{
    switch (op->kind) {
    case OP_CREATE:
        return judge_rights(m, op->name, RIGHT_CREATE);
    case OP_CLONE:
    case OP_SNAPSHOT:
        return judge_rights(m, op->name, RIGHT_CLONE | RIGHT_READ);
    case OP_ROLLBACK:
        return judge_rollback(m, op);
    case OP_DIFF:
        return judge_rights(m, op->name, RIGHT_QUERY) | judge_rights(m, op->other, RIGHT_QUERY);
    case OP_DROP:
        return 0;
    case OP_DERIVE:
        return judge_twist(op) | judge_rights(m, op->name, DERIVED_RIGHTS | op->prot) |
               judge_window(m, op->name, op->first, op->n);
    case OP_MAP:
    case OP_UNMAP:
    case OP_PROTECT:
        return judge_edit(m, op);
    case OP_SHARE:
    case OP_MOVE:
        return judge_transfer(m, op);
    case OP_REVOKE:
        return judge_revoke(m, op);
    default:
        return judge_access(m, op);
    }
}

static bool carries(const struct op *op)
{
    return op->kind == OP_SHARE || op->kind == OP_MOVE || op->kind == OP_ROLLBACK ||
           op->kind == OP_DIFF || op->kind == OP_REVOKE;
}

uint32_t model_judge(const struct model *m, const struct op *op)
{
    if (op->kind != OP_DROP && m->names[op->name].is_revoked)
        return ERROR(E_REVOKED);
    bool is_dead = carries(op) && m->names[op->other].is_revoked;
    return judge_request(m, op) | (is_dead ? ERROR(E_REVOKED) : 0);
}

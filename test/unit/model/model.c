// SPDX-License-Identifier: MIT
#include "model.h"

#include <assert.h>
#include <string.h>

#include "ipc/status.h"

#define PROT_ALL (PROT_R | PROT_W | PROT_X)

void model_start(struct model *m, const struct universe *u)
{
    memset(m, 0, sizeof *m);
    m->u = u;
    m->names[NAME_ROOT] =
        (struct name){.is_live = true, .is_whole = true, .n = (uint8_t)u->n, .rights = RIGHTS_ALL};
}

unsigned model_live(const struct model *m, uint8_t live[NAMES])
{
    unsigned n = 0;
    for (unsigned i = 0; i < NAMES; i++)
        if (m->names[i].is_live)
            live[n++] = (uint8_t)i;
    return n;
}

bool space_is_live(const struct model *m, unsigned space)
{
    for (unsigned i = 0; i < NAMES; i++)
        if (m->names[i].is_live && m->names[i].space == space)
            return true;
    return false;
}

static unsigned free_space(const struct model *m)
{
    unsigned space = 0;
    while (space_is_live(m, space)) // there are as many as names
        space++;
    return space;
}

static bool makes_name(const struct op *op)
{
    return op->kind == OP_CREATE || op->kind == OP_CLONE || op->kind == OP_DERIVE ||
           op->kind == OP_SNAPSHOT;
}

unsigned model_made(const struct model *m, const struct op *op)
{
    unsigned i = 0;
    if (!makes_name(op))
        return NAMES;
    while (i < NAMES && m->names[i].is_live)
        i++;
    return i;
}

bool model_is_possible(const struct model *m, const struct op *op)
{
    if (!m->names[op->name].is_live || !m->names[op->other].is_live)
        return false;
    if (op->kind == OP_DROP)
        return op->name != NAME_ROOT;
    if (op->kind == OP_ROLLBACK)
        return m->names[op->other].is_snapshot;
    if (op->kind == OP_WRITE || op->kind == OP_READ || op->kind == OP_EXEC)
        return !m->names[op->name].is_snapshot;
    return !makes_name(op) || model_made(m, op) < NAMES;
}

// Judging.

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

// The rights of a clone. A snapshot shows fewer, but what is made of it gets those it was taken with.
static unsigned clone_rights(const struct model *m, unsigned name)
{
    const struct name *n = &m->names[name];
    return RIGHTS_SPACE & (n->is_snapshot ? n->taken_with : n->rights);
}

// What a snapshot holds was seen with its taker's rights: more must not come of it.
static uint32_t judge_rollback(const struct model *m, const struct op *op)
{
    unsigned rights = m->names[op->name].rights & (RIGHT_WRITE | RIGHT_EXECUTE);
    uint32_t errors = judge_rights(m, op->name, RIGHT_MAP | RIGHT_READ) |
                      judge_rights(m, op->other, RIGHT_CLONE | RIGHT_READ);
    bool is_wider = rights & ~clone_rights(m, op->other);
    return errors | (is_wider || !m->names[op->name].is_whole ? ERROR(E_RIGHT) : 0);
}

static uint32_t judge_access(const struct model *m, const struct op *op)
{
    unsigned access = op->kind == OP_WRITE ? PROT_W : op->kind == OP_READ ? PROT_R : PROT_X;
    const struct cell *c = model_cell(m, op);
    return c->kind != CELL_NONE && c->prot & access ? 0 : ERROR(E_FAULT);
}

uint32_t model_judge(const struct model *m, const struct op *op)
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
    default:
        return judge_access(m, op);
    }
}

// Applying.

static uint16_t content_new(struct model *m, uint32_t value)
{
    uint16_t i = 1;
    while (m->contents[i].refs)
        i++;
    assert(i < CONTENTS);
    m->contents[i] = (struct content){value, 1};
    return i;
}

static void cell_clear(struct model *m, struct cell *c)
{
    if (c->kind == CELL_PAGE)
        m->contents[c->content].refs--;
    *c = (struct cell){0};
}

// The plot's first page becomes real.
static void cell_touch(struct model *m, struct cell *c)
{
    if (c->kind != CELL_LAZY)
        return;
    c->kind = CELL_PAGE;
    c->content = content_new(m, 0);
}

// All of its pages do.
static void cell_fill(struct model *m, struct cell *c)
{
    cell_touch(m, c);
    c->rest = CELL_PAGE;
    c->size = 1;
}

static void apply_map(struct model *m, struct cell *c, const struct op *op)
{
    bool is_lazy = op->flags & MAP_LAZY;
    cell_clear(m, c);
    *c = (struct cell){
        .kind = CELL_LAZY,
        .rest = CELL_LAZY,
        .prot = op->prot,
        .max = PROT_ALL,
        .size = !is_lazy             ? 1
                : op->flags & MAP_1G ? 3
                : op->flags & MAP_2M ? 2
                                     : 1,
    };
    if (!is_lazy)
        cell_fill(m, c);
}

static void apply_edit(struct model *m, const struct op *op)
{
    struct cell *cells = m->cells[m->names[op->name].space];
    for (unsigned i = op->first; i < op->first + op->n; i++)
        if (op->kind == OP_MAP)
            apply_map(m, &cells[i], op);
        else if (op->kind == OP_UNMAP)
            cell_clear(m, &cells[i]);
        else if (cells[i].kind != CELL_NONE)
            cells[i].prot = op->prot;
}

// Clones share what was shared, and have a copy of everything else.
static void copy_space(struct model *m, unsigned from_name, unsigned to_name)
{
    const struct cell *from = m->cells[m->names[from_name].space];
    struct cell *to = m->cells[m->names[to_name].space];
    for (unsigned i = 0; i < m->u->n; i++) {
        to[i] = from[i];
        if (from[i].kind != CELL_PAGE)
            continue;
        if (from[i].is_shared)
            m->contents[from[i].content].refs++;
        else
            to[i].content = content_new(m, m->contents[from[i].content].value);
    }
}

// The rights that a page may ever get where it goes. One that is shared without W never gets it there.
static uint8_t transfer_max(const struct model *m, const struct op *op, const struct cell *from)
{
    unsigned max = from->max & m->names[op->name].rights & m->names[op->other].rights;
    if (op->kind == OP_SHARE && !(op->prot & PROT_W))
        max &= ~PROT_W;
    return (uint8_t)(max & PROT_ALL);
}

static void apply_transfer(struct model *m, const struct op *op)
{
    struct cell *from = &m->cells[m->names[op->name].space][op->first];
    struct cell *to = &m->cells[m->names[op->other].space][op->at];
    for (unsigned i = 0; i < op->n; i++) {
        bool is_shared = op->kind == OP_SHARE;
        cell_fill(m, &from[i]);
        to[i] = (struct cell){
            .kind = CELL_PAGE,
            .rest = CELL_PAGE,
            .prot = op->prot,
            .max = transfer_max(m, op, &from[i]),
            .is_shared = is_shared,
        };
        if (is_shared) {
            to[i].content = from[i].content;
            m->contents[to[i].content].refs++;
            from[i].is_shared = true;
        } else {
            to[i].content = content_new(m, m->contents[from[i].content].value);
            cell_clear(m, &from[i]);
        }
    }
}

static void clear_space(struct model *m, unsigned space)
{
    for (unsigned i = 0; i < m->u->n; i++)
        cell_clear(m, &m->cells[space][i]);
}

static void apply_drop(struct model *m, const struct op *op)
{
    unsigned space = m->names[op->name].space;
    m->names[op->name] = (struct name){0};
    if (!space_is_live(m, space))
        clear_space(m, space);
}

static void apply_name(struct model *m, const struct op *op, unsigned made)
{
    struct name name = {.is_live = true, .is_whole = true, .n = (uint8_t)m->u->n};
    name.rights = RIGHTS_SPACE;
    if (op->kind == OP_CLONE)
        name.rights = (uint16_t)clone_rights(m, op->name);
    if (op->kind == OP_SNAPSHOT) {
        name.is_snapshot = true;
        name.taken_with = (uint16_t)clone_rights(m, op->name);
        name.rights = name.taken_with & SNAPSHOT_RIGHTS;
    }
    if (op->kind == OP_DERIVE) {
        name = m->names[op->name];
        name.is_whole = false;
        name.first = op->first;
        name.n = op->n;
        name.rights = DERIVED_RIGHTS | op->prot;
    } else {
        name.space = (uint8_t)free_space(m);
    }
    m->names[made] = name;
}

void model_apply(struct model *m, const struct op *op, unsigned made)
{
    if (makes_name(op))
        apply_name(m, op, made);
    switch (op->kind) {
    case OP_CLONE:
    case OP_SNAPSHOT:
        copy_space(m, op->name, made);
        break;
    case OP_ROLLBACK:
        clear_space(m, m->names[op->name].space);
        copy_space(m, op->other, op->name);
        break;
    case OP_DROP:
        apply_drop(m, op);
        break;
    case OP_MAP:
    case OP_UNMAP:
    case OP_PROTECT:
        apply_edit(m, op);
        break;
    case OP_SHARE:
    case OP_MOVE:
        apply_transfer(m, op);
        break;
    case OP_WRITE:
    case OP_READ:
    case OP_EXEC: {
        struct cell *c = &m->cells[m->names[op->name].space][op->first];
        cell_touch(m, c);
        if (op->kind == OP_WRITE)
            m->contents[c->content].value = op->value;
        break;
    }
    default:
        break;
    }
}

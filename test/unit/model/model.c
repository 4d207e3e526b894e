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
    m->reserved = NAME_NONE;
    m->names[NAME_ROOT] = (struct name){.is_live = true,
                                        .is_whole = true,
                                        .parent = NAME_NONE,
                                        .n = (uint8_t)u->n,
                                        .rights = RIGHTS_ALL};
}

unsigned model_names(const struct model *m, bool with_revoked, uint8_t names[NAMES])
{
    unsigned n = 0;
    for (unsigned i = 0; i < NAMES; i++)
        if (m->names[i].is_live || (with_revoked && m->names[i].is_revoked))
            names[n++] = (uint8_t)i;
    return n;
}

static bool comes_from(const struct model *m, unsigned name, unsigned from)
{
    while (name != NAME_NONE && name != from)
        name = m->names[name].parent;
    return name == from;
}

uint16_t model_family(const struct model *m, unsigned name)
{
    unsigned family = 0;
    for (unsigned i = 0; i < NAMES; i++)
        if (m->names[i].is_live && comes_from(m, i, name))
            family |= 1u << i;
    return (uint16_t)family;
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
    while (i < NAMES && (m->names[i].is_live || m->names[i].is_revoked || i == m->reserved))
        i++;
    return i;
}

unsigned model_clone_rights(const struct model *m, unsigned name)
{
    const struct name *n = &m->names[name];
    return RIGHTS_SPACE & (n->is_snapshot ? n->taken_with : n->rights);
}

bool model_is_possible(const struct model *m, const struct op *op)
{
    const struct name *name = &m->names[op->name], *other = &m->names[op->other];
    if (!(name->is_live || name->is_revoked) || !(other->is_live || other->is_revoked))
        return false;
    if (op->kind == OP_DROP)
        return op->name != NAME_ROOT;
    if (op->kind == OP_REVOKE)
        return op->other != NAME_ROOT;
    if (op->kind == OP_ROLLBACK)
        return m->names[op->other].is_snapshot;
    if (op->kind == OP_WRITE || op->kind == OP_READ || op->kind == OP_EXEC)
        return name->is_live && !name->is_snapshot;
    return !makes_name(op) || model_made(m, op) < NAMES;
}

uint32_t model_value(const struct model *m, const struct op *op)
{
    const struct cell *c = model_cell(m, op);
    return c->kind == CELL_PAGE ? m->contents[c->content].value : 0;
}

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

// The rights that a page may ever get where it goes. One that is shared without W never gets it
// there.
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
            .through = is_shared ? from[i].through | 1u << op->name : 0,
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

// What was derived from a name, or came through it, is its parent's now, or nobody's.
static void pass_on(struct model *m, unsigned name)
{
    const unsigned bit = 1u << name, parent = m->names[name].parent;
    for (unsigned i = 0; i < NAMES; i++)
        if (m->names[i].is_live && m->names[i].parent == name)
            m->names[i].parent = (uint8_t)parent;
    for (unsigned space = 0; space < SPACES; space++)
        for (unsigned i = 0; i < m->u->n; i++) {
            struct cell *c = &m->cells[space][i];
            if (c->through & bit)
                c->through =
                    (uint16_t)((c->through & ~bit) | (parent == NAME_NONE ? 0 : 1u << parent));
        }
}

static void apply_drop(struct model *m, const struct op *op)
{
    struct name *name = &m->names[op->name];
    unsigned space = name->space;
    if (name->is_live)
        pass_on(m, op->name);
    bool was_last = name->is_live;
    *name = (struct name){0};
    if (was_last && !space_is_live(m, space))
        clear_space(m, space);
}

static void apply_revoke(struct model *m, const struct op *op)
{
    const unsigned victims = model_family(m, op->other), space = m->names[op->other].space;
    for (unsigned i = 0; i < SPACES; i++)
        for (unsigned plot = 0; plot < m->u->n; plot++)
            if (m->cells[i][plot].through & victims)
                cell_clear(m, &m->cells[i][plot]);
    for (unsigned i = 0; i < NAMES; i++)
        if (victims & 1u << i) {
            m->names[i].is_live = false;
            m->names[i].is_revoked = true;
        }
    if (!space_is_live(m, space))
        clear_space(m, space);
}

static void apply_name(struct model *m, const struct op *op, unsigned made)
{
    struct name name = {.is_live = true, .is_whole = true, .n = (uint8_t)m->u->n};
    name.parent = NAME_NONE;
    name.rights = RIGHTS_SPACE;
    if (op->kind == OP_CLONE)
        name.rights = (uint16_t)model_clone_rights(m, op->name);
    if (op->kind == OP_SNAPSHOT) {
        name.is_snapshot = true;
        name.taken_with = (uint16_t)model_clone_rights(m, op->name);
        name.rights = name.taken_with & SNAPSHOT_RIGHTS;
    }
    if (op->kind == OP_DERIVE) {
        name = m->names[op->name];
        name.is_whole = false;
        name.parent = op->name;
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
    case OP_REVOKE:
        apply_revoke(m, op);
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

// SPDX-License-Identifier: MIT
#include "draw.h"

#define OP_WEIGHT(name, weight) weight,
static const uint8_t weights[] = {OP_LIST(OP_WEIGHT)};
#define OP_SUM(name, weight) +weight
_Static_assert(0 OP_LIST(OP_SUM) == 64, "weights are of 64");

// Takes a number below `n` from the bits.
static unsigned take(uint64_t *bits, unsigned n)
{
    unsigned taken = (unsigned)(*bits % n);
    *bits /= n;
    return taken;
}

static uint8_t take_kind(uint64_t *bits)
{
    unsigned at = take(bits, 64);
    uint8_t kind = 0;
    while (at >= weights[kind])
        at -= weights[kind++];
    return kind;
}

// Mostly a live one.
static uint8_t take_name(uint64_t *bits, const struct model *m, bool with_revoked)
{
    uint8_t names[NAMES];
    unsigned n = model_names(m, with_revoked || !take(bits, 16), names);
    return names[take(bits, n)];
}

// Snapshots are mostly left alone by what they would refuse.
static uint8_t take_caller(uint64_t *bits, const struct model *m, unsigned kind)
{
    uint8_t name = take_name(bits, m, kind == OP_DROP);
    bool is_for_all = kind == OP_CLONE || kind == OP_DROP || kind == OP_DIFF || kind == OP_SNAPSHOT;
    if (is_for_all || !take(bits, 8))
        return name;
    while (!m->names[name].is_live || m->names[name].is_snapshot) // NAME_ROOT is none
        name = (uint8_t)((name + 1) % NAMES);
    return name;
}

// A snapshot's name, the next one after the name drawn, if there is any.
static uint8_t take_snapshot(uint64_t *bits, const struct model *m)
{
    unsigned drawn = take(bits, NAMES);
    for (unsigned i = 0; i < NAMES; i++)
        if (m->names[(drawn + i) % NAMES].is_snapshot)
            return (uint8_t)((drawn + i) % NAMES);
    return NAME_ROOT;
}

// A name to revoke, and mostly one through which that may be done: itself, or one above it.
static void take_victim(uint64_t *bits, const struct model *m, struct op *op)
{
    op->other = take_name(bits, m, false);
    op->flags = (uint8_t)take(bits, 2);
    if (!take(bits, 8))
        return;
    op->name = op->other;
    while (m->names[op->name].parent != NAME_NONE && take(bits, 2))
        op->name = m->names[op->name].parent;
}

static uint8_t take_prot(uint64_t *bits)
{
    static const uint8_t prots[32] = {
        0,
        0,
        PROT_W,
        PROT_R | PROT_W | PROT_X,
        [4 ... 8] = PROT_R,
        [9 ... 13] = PROT_R | PROT_X,
        [14 ... 31] = PROT_R | PROT_W,
    };
    return prots[take(bits, 32)];
}

static bool is_access(const struct op *op)
{
    return op->kind == OP_WRITE || op->kind == OP_READ || op->kind == OP_EXEC;
}

static bool is_transfer(const struct op *op)
{
    return op->kind == OP_SHARE || op->kind == OP_MOVE;
}

// The first plot at or after the one drawn (round about) that is mapped, if one is, with what is
// needed.
static unsigned near_mapped(const struct model *m, const struct op *op, unsigned drawn)
{
    const struct cell *cells = m->cells[m->names[op->name].space];
    unsigned needed = op->kind == OP_WRITE ? PROT_W : op->kind == OP_EXEC ? PROT_X : 0;
    for (unsigned i = 0; i < m->u->n; i++) {
        unsigned at = (drawn + i) % m->u->n;
        if (cells[at].kind != CELL_NONE && (cells[at].prot & needed) == needed)
            return at;
    }
    return drawn;
}

// The plots of the whole 2 MiB around a range of plots, as far as they lie in first .. end - 1.
static void widen(const struct universe *u, unsigned first, unsigned end, struct op *op)
{
    const uint64_t mask = (1u << 9) - 1;
    unsigned last = op->first + op->n;
    while (op->first > first && u->first[op->first] & mask)
        op->first--;
    while (last < end && u->first[last] & mask)
        last++;
    op->n = (uint8_t)(last - op->first);
}

// Plots, mostly few, mostly of the name's window, mostly with something there. An access is to one.
static void take_range(uint64_t *bits, const struct model *m, struct op *op)
{
    const struct name *name = &m->names[op->name];
    bool is_wild = !take(bits, 8);
    unsigned from = is_wild ? 0 : name->first, n_all = is_wild ? m->u->n : name->n;
    unsigned first = from + take(bits, n_all);
    if (!is_wild && op->kind != OP_MAP && op->kind != OP_DERIVE)
        first = near_mapped(m, op, first);
    unsigned most = take(bits, 6) ? 3 : n_all;
    unsigned n = 1 + take(bits, most), end = first < from + n_all ? from + n_all : m->u->n;
    op->first = (uint8_t)first;
    op->n = is_access(op) ? 1 : (uint8_t)(first + n > end ? end - first : n);
    if (!is_access(op) && !take(bits, 4))
        widen(m->u, first < from ? 0 : from, end, op);
}

// Whether the destination may be there: in the window, where nothing is.
static bool is_free(const struct model *m, const struct op *op, unsigned at)
{
    const struct name *to = &m->names[op->other];
    const struct cell *cells = m->cells[to->space];
    if (at < to->first || at + op->n > to->first + to->n)
        return false;
    for (unsigned i = at; i < at + op->n; i++)
        if (cells[i].kind != CELL_NONE)
            return false;
    return true;
}

// A destination where the plots are as large, mostly free, near the one drawn.
static void take_destination(uint64_t *bits, const struct model *m, struct op *op)
{
    const struct cell *cells = m->cells[m->names[op->name].space];
    bool is_wild = !take(bits, 16);
    for (unsigned i = 1; i < op->n && !is_wild; i++)
        if (cells[op->first + i].kind == CELL_NONE)
            op->n = (uint8_t)i;
    unsigned drawn = take(bits, m->u->n);
    op->at = op->first;
    for (unsigned i = 0; i < m->u->n; i++) {
        unsigned at = (drawn + i) % m->u->n;
        if (!universe_matches(m->u, op->first, op->n, at))
            continue;
        op->at = (uint8_t)at;
        if (is_wild || is_free(m, op, at))
            return;
    }
}

// The page size asked for is mostly one that the range is aligned to.
static uint8_t take_flags(uint64_t *bits, const struct model *m, const struct op *op)
{
    static const uint8_t sizes[4] = {0, 0, MAP_2M, MAP_1G};
    uint64_t both = m->u->first[op->first] | range_pages(m->u, op->first, op->n);
    uint8_t size = sizes[take(bits, 4)], flags = take(bits, 2) ? MAP_LAZY : 0;
    bool is_wild = !take(bits, 16);
    if (!is_wild && size == MAP_1G && both & 0x3ffff)
        size = MAP_2M;
    if (!is_wild && size == MAP_2M && both & 0x1ff)
        size = 0;
    return flags | size | (take(bits, 2) ? MAP_REPLACE : 0);
}

static void take_arguments(uint64_t *bits, const struct model *m, struct op *op)
{
    switch (op->kind) {
    case OP_CREATE:
    case OP_CLONE:
    case OP_SNAPSHOT:
        op->flags = take(bits, 4) ? CLONE_COW : CLONE_COPY;
        op->quota = take(bits, 3) ? 0 : (uint8_t)(1 + take(bits, 60));
        break;
    case OP_ROLLBACK:
        op->other = take_snapshot(bits, m);
        break;
    case OP_DIFF:
        op->other = take_name(bits, m, false);
        break;
    case OP_REVOKE:
        take_victim(bits, m, op);
        break;
    case OP_MAP:
        op->flags = take_flags(bits, m, op);
        op->prot = take_prot(bits);
        break;
    case OP_PROTECT:
    case OP_DERIVE:
        op->prot = take_prot(bits);
        break;
    default:
        op->cpu = (uint8_t)take(bits, 2);
        break;
    }
}

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

struct op op_draw(uint64_t bits, const struct model *m)
{
    struct op op = {.value = 1 + (uint32_t)(bits >> 40)};
    uint64_t seed = bits;
    op.kind = take_kind(&bits);
    op.name = take_caller(&bits, m, op.kind);
    take_range(&bits, m, &op);
    op.squeeze = take(&bits, 8) ? 0 : (uint8_t)(1 + take(&bits, 12));
    if (is_transfer(&op)) {
        op.other = take_caller(&bits, m, op.kind);
        take_destination(&bits, m, &op);
        op.prot = take_prot(&bits);
        if (take(&bits, 4)) // mostly what is allowed
            op.prot &=
                m->names[op.name].rights & m->names[op.other].rights & model_cell(m, &op)->max;
    } else {
        take_arguments(&bits, m, &op);
    }
    op.meanwhile = take(&bits, 2) ? (uint32_t)random_next(&seed) : 0;
    op.twist = take(&bits, 32) ? TWIST_NONE : (uint8_t)take(&bits, TWISTS);
    return op;
}

// SPDX-License-Identifier: MIT
// What memory should be, said as plainly as possible: each space is a flat array of plots, each
// plot is unmapped, lazy or a page, and a page has a content, which shared pages have in common.
// A page that was shared has a set of the names through which it came; revoking one takes the pages
// of all sets that it is in. Nothing here knows of tables, frames, copy-on-write or the code under
// test; DESIGN.md is what it follows.
#pragma once

#include "ipc/vmm_protocol.h"
#include "op.h"

#define NAMES        12u
#define SPACES       NAMES
#define NAME_ROOT    0u // a capability with all rights, never dropped or revoked
#define NAME_NONE    NAMES
#define CONTENTS     (SPACES * PLOTS_MAX + 1)
#define CONTENT_NONE 0u

// What a derived name may do beside reading, writing or executing.
#define DERIVED_RIGHTS (RIGHT_MAP | RIGHT_SHARE | RIGHT_DERIVE | RIGHT_QUERY)

// Nobody runs in a snapshot or changes it.
#define SNAPSHOT_RIGHTS (RIGHT_QUERY | RIGHT_CLONE | RIGHT_READ | RIGHT_DESTROY)

enum cell_kind { CELL_NONE, CELL_LAZY, CELL_PAGE };

struct cell {
    uint8_t kind; // enum cell_kind
    uint8_t prot;
    uint8_t max;
    bool is_shared;
    uint8_t size; // level of the pages that it was asked for in lazily; above 1, a neighbour's
                  // touch may make it real
    uint8_t rest; // what all pages of the plot but the first are: CELL_PAGE, CELL_LAZY
    uint16_t content;
    uint16_t through; // a bit for each name through which it came, by whatever way
};

struct content {
    uint32_t value;
    uint32_t refs; // cells
};

// A capability: a window of a space, and rights.
struct name {
    bool is_live;
    bool is_revoked; // and not dropped yet: not live
    uint8_t parent;  // from which it was derived, or NAME_NONE
    bool is_whole;   // all of the user half
    uint8_t space;
    uint8_t first, n;    // the plots of its window
    uint16_t rights;     // RIGHT_*
    bool is_snapshot;    // of a space that never runs
    uint16_t taken_with; // of a snapshot: the rights of whoever took it
};

struct model {
    const struct universe *u;
    uint8_t reserved; // a name that is not to be taken, or NAME_NONE
    struct name names[NAMES];
    struct cell cells[SPACES][PLOTS_MAX];
    struct content contents[CONTENTS];
};

// One space, empty, and NAME_ROOT on it.
void model_start(struct model *m, const struct universe *u);

// Fills `names` with those that exist, if wanted with the revoked ones; answers how many.
unsigned model_names(const struct model *m, bool with_revoked, uint8_t names[NAMES]);

// The name, if it is live, and all live names derived from it, as bits.
uint16_t model_family(const struct model *m, unsigned name);

// Whether the operation makes sense at all: its names exist, and there is a free one for what it
// makes.
bool model_is_possible(const struct model *m, const struct op *op);

// The rights of a clone made through a name. A snapshot shows fewer, but what is made of it gets
// those it was taken with.
unsigned model_clone_rights(const struct model *m, unsigned name);

// A set of errors, as bits of ERROR(). The empty set: the operation must succeed. Otherwise it must
// fail with any one of them. Want of memory is another matter.
#define ERROR(status) (1u << -(status))
uint32_t model_judge(const struct model *m, const struct op *op); // judge.c

// The operation succeeded. `made` is the name that it made, if it makes one.
void model_apply(struct model *m, const struct op *op, unsigned made);

// The name that an operation makes, the lowest free one; NAMES if it makes none, or there is none.
unsigned model_made(const struct model *m, const struct op *op);

// The cell that an access would meet.
static inline const struct cell *model_cell(const struct model *m, const struct op *op)
{
    return &m->cells[m->names[op->name].space][op->first];
}

// What a READ would read.
uint32_t model_value(const struct model *m, const struct op *op);

bool space_is_live(const struct model *m, unsigned space);

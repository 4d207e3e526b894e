// SPDX-License-Identifier: MIT
#include "explore.h"

struct menu {
    struct op *ops;
    unsigned n;
    unsigned n_names, n_pages;
};

static void add(struct menu *m, struct op op)
{
    if (m->n < MENU_MAX)
        m->ops[m->n++] = op;
}

static void add_maps(struct menu *m, struct op op)
{
    static const uint8_t flags[] = {0, MAP_LAZY, MAP_LAZY | MAP_REPLACE};
    for (unsigned i = 0; i < sizeof flags; i++) {
        op.kind = OP_MAP;
        op.prot = PROT_R | PROT_W;
        op.flags = flags[i];
        add(m, op);
    }
    op.kind = OP_UNMAP;
    add(m, op);
}

static void add_protects(struct menu *m, struct op op)
{
    static const uint8_t prots[] = {0, PROT_R, PROT_R | PROT_W};
    op.kind = OP_PROTECT;
    for (unsigned i = 0; i < sizeof prots; i++) {
        op.prot = prots[i];
        add(m, op);
    }
}

// To each page of each space.
static void add_transfers(struct menu *m, struct op op)
{
    for (op.other = 0; op.other < m->n_names; op.other++)
        for (unsigned page = 0; page < m->n_pages; page++) {
            op.at = (uint8_t)(2 * page);
            if (op.other == op.name && op.at == op.first)
                continue;
            op.kind = OP_SHARE;
            op.prot = PROT_R | PROT_W;
            add(m, op);
            op.prot = PROT_R;
            add(m, op);
            op.kind = OP_MOVE;
            op.prot = PROT_R | PROT_W;
            add(m, op);
        }
}

static void add_page(struct menu *m, uint8_t name, unsigned page)
{
    struct op op = {.name = name, .first = (uint8_t)(2 * page), .n = 1, .value = name + 1u};
    add_maps(m, op);
    add_protects(m, op);
    add_transfers(m, op);
    op.kind = OP_WRITE;
    add(m, op);
    op.kind = OP_READ;
    add(m, op);
}

static void add_name(struct menu *m, uint8_t name)
{
    add(m, (struct op){.kind = OP_CLONE, .name = name, .flags = CLONE_COW});
    add(m, (struct op){.kind = OP_CLONE, .name = name, .flags = CLONE_COPY});
    add(m, (struct op){.kind = OP_SNAPSHOT, .name = name});
    struct op all = {.name = name, .n = (uint8_t)(2 * m->n_pages - 1), .prot = PROT_R | PROT_W};
    all.kind = OP_DERIVE;
    add(m, all);
    for (uint8_t other = 0; other < m->n_names; other++) {
        add(m, (struct op){.kind = OP_DIFF, .name = name, .other = other});
        add(m, (struct op){.kind = OP_ROLLBACK, .name = name, .other = other});
        add(m, (struct op){.kind = OP_REVOKE, .name = name, .other = other});
    }
    if (name == NAME_ROOT)
        add(m, (struct op){.kind = OP_CREATE});
    else
        add(m, (struct op){.kind = OP_DROP, .name = name});
    for (unsigned page = 0; page < m->n_pages; page++)
        add_page(m, name, page);
    all.kind = OP_UNMAP;
    add(m, all);
    all.kind = OP_MAP;
    all.flags = MAP_LAZY;
    add(m, all);
    all.kind = OP_PROTECT;
    all.prot = PROT_R;
    add(m, all);
}

unsigned menu_make(const struct explore_config *config, struct op ops[MENU_MAX])
{
    struct menu m = {.ops = ops, .n_names = config->n_names, .n_pages = config->n_pages};
    for (uint8_t name = 0; name < config->n_names; name++)
        add_name(&m, name);
    return m.n;
}

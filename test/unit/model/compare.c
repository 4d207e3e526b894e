// SPDX-License-Identifier: MIT
// Every page of every space, by the software MMU, against the model.
#include <string.h>

#include "lockstep.h"

// Which content the frames hold, as far as they were seen in this comparison.
#define SEEN_MAX 1024u

struct seen {
    paddr_t page;
    uint16_t content; // 0: unused
    bool is_writable; // somewhere
};

struct look {
    struct lockstep *l;
    unsigned space, plot;
    struct walk walk;
    struct seen seen[SEEN_MAX];
    paddr_t place[CONTENTS]; // where a content was seen; 0: nowhere yet
};

static bool differs(struct look *k, const char *what)
{
    return lockstep_fail(k->l, "space %u, 0x%llx: %s (walk ends at level %u with rights %u)",
                         k->space, (unsigned long long)plot_va(k->l->u, k->plot), what,
                         k->walk.level, k->walk.rights);
}

// Two entries may lead to one frame only if they show the same content, or neither lets anyone
// write.
static bool look_frame(struct look *k, uint16_t content, bool is_writable)
{
    paddr_t page = k->walk.address & ~PAGE_MASK;
    unsigned at = (unsigned)(page >> PAGE_SHIFT) * 2654435761u % SEEN_MAX;
    while (k->seen[at].content && k->seen[at].page != page)
        at = (at + 1) % SEEN_MAX;
    struct seen *s = &k->seen[at];
    if (s->content && s->content != content && (s->is_writable || is_writable))
        return differs(k, "a writable frame is seen as another page too");
    *s = (struct seen){page, content, s->is_writable || is_writable};
    if (k->place[content] && k->place[content] != page)
        return differs(k, "a shared page has two frames");
    k->place[content] = page;
    return true;
}

static bool look_page(struct look *k, const struct cell *c, unsigned rights)
{
    const struct content *content = &k->l->model.contents[c->content];
    uint32_t value;
    if ((rights ^ c->prot) & (PROT_R | PROT_X))
        return differs(k, "a page that cannot be read or executed as it should");
    if (!rights)
        return true;
    if (!sut_content(&k->l->sut, k->walk.address, &value))
        return differs(k, "a torn page");
    if (value != content->value)
        return lockstep_fail(k->l, "space %u, 0x%llx: reads %u, not %u", k->space,
                             (unsigned long long)plot_va(k->l->u, k->plot), value, content->value);
    return look_frame(k, c->content, rights & PROT_W);
}

static bool look_lazy(struct look *k, const struct cell *c, unsigned rights)
{
    uint32_t value;
    if (c->size == 1 && rights)
        return differs(k, "a lazy page is there already");
    if (rights && (!sut_content(&k->l->sut, k->walk.address, &value) || value))
        return differs(k, "a new page is not zero");
    return true;
}

static bool look_cell(struct look *k, const struct cell *c)
{
    const struct walk *w = &k->walk;
    if ((w->end != WALK_PAGE && w->end != WALK_ABSENT) || (w->end == WALK_PAGE && !w->is_user))
        return differs(k, "a walk that no table of a space should lead to");
    if (w->end == WALK_PAGE && w->needs_write)
        return differs(k, "A or D is clear");
    unsigned rights = w->end == WALK_PAGE ? w->rights : 0;
    if (rights & ~c->prot)
        return differs(k, "more is allowed than should be");
    if (c->kind == CELL_NONE && w->end == WALK_PAGE)
        return differs(k, "something is mapped where nothing should be");
    if (c->kind == CELL_LAZY)
        return look_lazy(k, c, rights);
    return c->kind == CELL_PAGE ? look_page(k, c, rights) : true;
}

// The last page of a larger plot was never written.
static bool look_last(struct look *k, const struct cell *c, const struct tlb *t, paddr_t root)
{
    uint32_t value;
    walk(&k->l->sut.board.memory, t->levels, root, plot_va(k->l->u, k->plot + 1) - PAGE_SIZE,
         &k->walk);
    unsigned rights = k->walk.end == WALK_PAGE ? k->walk.rights : 0;
    if (rights & ~c->prot || (c->rest == CELL_PAGE && (rights ^ c->prot) & (PROT_R | PROT_X)))
        return differs(k, "the plot's last page has other rights");
    if (c->rest == CELL_LAZY && c->size == 1 && rights)
        return differs(k, "the plot's last page is there already");
    if (rights && (!sut_content(&k->l->sut, k->walk.address, &value) || value))
        return differs(k, "the plot's last page is not zero");
    return true;
}

static unsigned any_name(const struct model *m, unsigned space)
{
    unsigned name = 0;
    while (!m->names[name].is_live || m->names[name].space != space)
        name++;
    return name;
}

static bool look_space(struct look *k)
{
    struct lockstep *l = k->l;
    const struct tlb *t = &l->sut.board.tlb;
    paddr_t root = sut_root(&l->sut, any_name(&l->model, k->space));
    for (k->plot = 0; k->plot < l->u->n; k->plot++) {
        const struct cell *c = &l->model.cells[k->space][k->plot];
        walk(&l->sut.board.memory, t->levels, root, plot_va(l->u, k->plot), &k->walk);
        if (!look_cell(k, c) || (plot_pages(l->u, k->plot) > 1 && !look_last(k, c, t, root)))
            return false;
    }
    return true;
}

bool compare_all(struct lockstep *l)
{
    struct look k = {.l = l};
    for (k.space = 0; k.space < SPACES; k.space++)
        if (space_is_live(&l->model, k.space) && !look_space(&k))
            return false;
    return true;
}

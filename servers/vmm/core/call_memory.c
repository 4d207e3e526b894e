// SPDX-License-Identifier: MIT
#include "call.h"
#include "grant.h"
#include "job.h"
#include "leaf.h"
#include "run.h"
#include "space.h"
#include "transfer.h"

status_t decode_range(const struct vmm *vm, const struct portal *grant, uint64_t va,
                      uint64_t n_pages, uint64_t *first)
{
    if (va & PAGE_MASK)
        return E_INVAL;
    status_t status = grant_check(vm, grant, va >> PAGE_SHIFT, n_pages);
    if (status == OK)
        *first = va >> PAGE_SHIFT;
    return status;
}

status_t decode_prot(const struct portal *grant, uint64_t prot)
{
    const unsigned valid =
        1u << 0 | 1u << PROT_R | 1u << (PROT_R | PROT_W) | 1u << (PROT_R | PROT_X);
    if (prot > (PROT_R | PROT_W | PROT_X) || !(valid >> prot & 1))
        return prot == (PROT_R | PROT_W | PROT_X) ? E_WX : E_INVAL;
    return (unsigned)prot & ~(unsigned)grant->rights ? E_RIGHT : OK;
}

// The size of page that MAP's flags ask for: aligned, and one that the CPU has or is made of such.
// Without a size, pages mapped now are as large as can be, and first touches take small ones.
static status_t decode_page_level(const struct vmm *vm, const struct request *c, struct edit *e)
{
    uint32_t size = c->flags & (MAP_4K | MAP_2M | MAP_1G);
    unsigned wanted = size & MAP_1G ? 3 : size & MAP_2M ? 2 : 1;
    uint64_t mask = (pt_span(wanted) << PAGE_SHIFT) - 1;
    if (c->flags & ~(MAP_LAZY | MAP_REPLACE | size) || size & (size - 1) || c->words[1] & mask ||
        c->words[2] & mask >> PAGE_SHIFT)
        return E_INVAL;
    e->falls_back = !size && !e->is_lazy;
    e->page_level = e->falls_back ? 3 : wanted;
    while (!(vm->state->page_sizes & 1u << (e->page_level - 1)))
        e->page_level--;
    return OK;
}

status_t edit_range(struct vmm *vm, struct request *c, struct edit *e, bool has_pager)
{
    struct work w = {.account = c->home->account,
                     .by = badge_portal(c->badge),
                     .spaces = {c->space},
                     .has_pager = has_pager,
                     .n = 1,
                     .n_alone = 1,
                     .edits = e};
    status_t status = job_do(vm, &w);
    return status == E_MORE ? call_again(c, w.token) : status;
}

static status_t decode_pages(const struct vmm *vm, const struct request *c, uint64_t *first)
{
    return decode_range(vm, c->portal, c->words[1], c->words[2], first);
}

struct edit make_edit(const struct request *c, enum edit_kind kind, uint64_t first)
{
    return (struct edit){
        .kind = kind,
        .account = c->home->account,
        .root = c->home->root,
        .first = first,
        .last = first + c->words[2] - 1,
        .prot = (unsigned)c->words[3],
        .max = PROT_R | PROT_W | PROT_X,
        .page_level = 1,
        .is_lazy = c->flags & MAP_LAZY,
        .refuses = !(c->flags & MAP_REPLACE),
    };
}

rare static status_t map_range(struct vmm *vm, struct request *c, uint64_t first)
{
    struct edit e = make_edit(c, EDIT_MAP, first);
    status_t status = decode_page_level(vm, c, &e);
    if (status == OK && e.is_lazy && run_at_once(vm, e.root, first, e.last, edit_lazy_entry(&e)))
        return OK;
    return status == OK ? edit_range(vm, c, &e, false) : status;
}

status_t serve_map(struct vmm *vm, struct request *c)
{
    uint64_t first;
    status_t status = decode_pages(vm, c, &first);
    if (status == OK)
        status = decode_prot(c->portal, c->words[3]);
    if (status != OK)
        return status;
    if (c->words[2] == 1 && !(c->flags & ~MAP_4K) &&
        leaf_map(vm, c->home->account, c->home->root, first, (unsigned)c->words[3]))
        return OK;
    return map_range(vm, c, first);
}

rare static status_t unmap_range(struct vmm *vm, struct request *c, uint64_t first)
{
    struct edit e = make_edit(c, EDIT_UNMAP, first);
    return edit_range(vm, c, &e, false);
}

status_t serve_unmap(struct vmm *vm, struct request *c)
{
    uint64_t first;
    status_t status = decode_pages(vm, c, &first);
    if (status != OK)
        return status;
    if (c->words[2] == 1 && leaf_unmap(vm, c->home->root, first))
        return OK;
    if (run_at_once(vm, c->home->root, first, first + c->words[2] - 1, PTE_NONE))
        return OK;
    return unmap_range(vm, c, first);
}

status_t serve_protect(struct vmm *vm, struct request *c)
{
    uint64_t first;
    status_t status = decode_pages(vm, c, &first);
    if (status == OK)
        status = decode_prot(c->portal, c->words[3]);
    if (status != OK)
        return status;
    struct edit e = make_edit(c, EDIT_PROTECT, first);
    return edit_range(vm, c, &e, false);
}

status_t decode_carried(const struct vmm *vm, const struct request *c, unsigned rights,
                        const struct portal **grant)
{
    uint64_t badge = c->carried_value;
    if (c->carried != CARRIED_BADGE || badge_kind(badge) != PORTAL_GRANT)
        return E_SLOT;
    const struct portal *carried = badge_find(vm, badge);
    if (!carried)
        return E_REVOKED;
    if (rights & ~(unsigned)carried->rights)
        return E_RIGHT;
    *grant = carried;
    return OK;
}

static status_t serve_transfer(struct vmm *vm, struct request *c, bool moves)
{
    const struct portal *to;
    struct transfer t = {
        .from = c->space, .grant = badge_portal(c->badge), .n_pages = c->words[2], .moves = moves};
    status_t status = decode_range(vm, c->portal, c->words[1], t.n_pages, &t.first);
    if (status == OK)
        status = decode_prot(c->portal, c->words[4]);
    if (status == OK)
        status = decode_carried(vm, c, RIGHT_MAP, &to);
    if (status == OK)
        status = decode_range(vm, to, c->words[3], t.n_pages, &t.first_to);
    if (status == OK)
        status = decode_prot(to, c->words[4]);
    if (status != OK)
        return status;
    t.to = to->owner;
    t.to_grant = badge_portal(c->carried_value);
    t.prot = (unsigned)c->words[4];
    t.max = c->portal->rights & to->rights & (PROT_R | PROT_W | PROT_X);
    if (!t.moves && !(t.prot & PROT_W))
        t.max &= ~PROT_W; // a read-only share is one for good
    status = transfer_pages(vm, &t);
    return status == E_MORE ? call_again(c, t.token) : status;
}

status_t serve_share(struct vmm *vm, struct request *c)
{
    return serve_transfer(vm, c, false);
}

status_t serve_move(struct vmm *vm, struct request *c)
{
    return serve_transfer(vm, c, true);
}

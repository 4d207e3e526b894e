// SPDX-License-Identifier: MIT
#include "fault.h"

#include "account.h"
#include "explain.h"
#include "job.h"
#include "leaf.h"
#include "page.h"
#include "pager.h"
#include "space.h"
#include "task.h"
#include "text.h"

#define VECTOR_PAGE_FAULT 14u
// Error code of a page fault (SDM 3A, 4.7).
#define FAULT_WRITE       0x02u
#define FAULT_USER        0x04u
#define FAULT_RESERVED    0x08u
#define FAULT_FETCH       0x10u

static unsigned fault_access(uint64_t error)
{
    return error & FAULT_FETCH ? PROT_X : error & FAULT_WRITE ? PROT_W : PROT_R;
}

// Level of the page that the access gets: what a lazy range was mapped with, and all of a large
// page if that is the space's own already.
static unsigned fault_level(const struct vmm *vm, const struct spot *spot)
{
    if (pte_is_lazy(spot->pte))
        return pte_lazy_level(spot->pte);
    if (pte_is_device(spot->pte))
        return 1;
    bool is_own =
        !spot->is_joint && page_is_sole(vm, frame_number(pte_address(spot->pte)), spot->level);
    return is_own ? spot->level : 1;
}

static status_t fault_own(struct vmm *vm, record_t space, uint64_t page, unsigned level)
{
    const struct space *s = space_of(vm, space);
    struct edit e = {
        .kind = EDIT_OWN,
        .account = s->account,
        .root = s->root,
        .first = page & ~(pt_span(level) - 1),
        .last = page | (pt_span(level) - 1),
        .fills = true,
    };
    struct work w = {.account = s->account, .spaces = {space}, .n = 1, .n_alone = 1, .edits = &e};
    return job_do(vm, &w);
}

// leaf_own() of a page below tables that others have too. The CPU may have cached those: with a page
// that it could read, and that is copied, they were flushed.
rare static bool own_joint(struct vmm *vm, const struct space *s, uint64_t page, pte_t old)
{
    struct leaf leaf;
    unsigned n;
    if (!pt_own_path(vm, s->account, s->root, page, &n))
        return false;
    bool is_own = leaf_find(vm, s->root, page, &leaf) && leaf_own(vm, s->account, s->root, &leaf);
    bool is_copied = is_own && pte_address(*leaf.entry) != pte_address(old);
    if (n && !(is_copied && pte_is_present(old)))
        flush_tables(vm, frame_address(s->root), page << PAGE_SHIFT);
    return is_own;
}

// What leaf_own() does not do, or leaves to be joined.
rare static status_t fault_edit(struct vmm *vm, record_t space, uint64_t page)
{
    struct spot spot = pt_find(vm, space_of(vm, space)->root, page);
    unsigned level = fault_level(vm, &spot);
    bool has_dead = vm->state->dead_tables.n;
    status_t status = fault_own(vm, space, page, level);
    if ((status == E_NOMEM || status == E_QUOTA) && level > 1)
        status = fault_own(vm, space, page, 1); // there is no room for a large one
    if ((status != E_NOMEM && status != E_QUOTA) || !has_dead)
        return status;
    vmm_begin(vm);
    (void)pt_bury(vm);
    return E_MORE;
}

status_t fault_resolve(struct vmm *vm, record_t space, vaddr_t address, unsigned access,
                       record_t *pager)
{
    const struct space *s = space_of(vm, space);
    uint64_t page = address >> PAGE_SHIFT;
    *pager = 0;
    if (page >= vm->state->user_pages)
        return E_FAULT;
    if (s->job && job_help(vm, space, false) == E_MORE)
        return E_MORE;
    struct leaf leaf;
    bool is_own = leaf_find(vm, s->root, page, &leaf);
    pte_t pte = is_own ? *leaf.entry : pt_find(vm, s->root, page).pte;
    if (!(pte_prot(pte) & access))
        return E_FAULT;
    if (pte_is_paged(pte)) {
        *pager = pte_pager(pte);
        return E_FAULT;
    }
    // A read or a fetch of what is there: the CPU had cached less than the entry allows, and has
    // forgotten it by faulting (SDM 3A, 4.10.4.1).
    if (pte_is_present(pte) && access != PROT_W)
        return OK;
    if (is_own ? leaf_own(vm, s->account, s->root, &leaf) : own_joint(vm, s, page, pte))
        return OK;
    return fault_edit(vm, space, page);
}

static bool lacks_memory(status_t status)
{
    return status == E_NOMEM || status == E_QUOTA;
}

// A line for the log: what happened to the task, by which exception.
static void log_fault(struct vmm *vm, const struct task *t, const struct task_end *end,
                      const char *what)
{
    struct text line = {.len = 0};
    uint64_t vector = (uint32_t)end->code, error = end->code >> 32;
    text_add(&line, "vmm: task ");
    text_add_decimal(&line, t->number);
    text_add(&line, what);
    if (vector == VECTOR_PAGE_FAULT) {
        text_add(&line, "page fault, ");
        text_add(&line, error & FAULT_FETCH   ? "fetch of "
                        : error & FAULT_WRITE ? "write of "
                                              : "read of ");
        text_add_hex(&line, end->address);
    } else {
        text_add(&line, "exception ");
        text_add_decimal(&line, vector);
        text_add(&line, ", error ");
        text_add_hex(&line, error);
    }
    text_add(&line, ", rip ");
    text_add_hex(&line, end->rip);
    if (end->reason != E_FAULT) {
        text_add(&line, " (");
        text_add(&line, status_name(end->reason));
        text_add(&line, ")");
    }
    vm->ports->log(vm->context, line.bytes);
}

// Of user code, and not because an entry is malformed.
static bool is_page_fault(const uint64_t words[MESSAGE_WORDS])
{
    return words[0] == VECTOR_PAGE_FAULT && words[1] & FAULT_USER && !(words[1] & FAULT_RESERVED);
}

// Why a pager did not serve a fault, as it said itself. 0: nobody was asked.
static status_t refusal(uint64_t word)
{
    status_t status = (status_t)word;
    return !word || (status < 0 && status >= E_OVERFLOW) ? status : E_FAULT;
}

// The pager serves it, or is gone: then that is the reason.
static bool hand_on(struct vmm *vm, record_t task, record_t pager, struct task_end *end)
{
    status_t status = pager_forward(vm, pager);
    if (status == OK)
        task_note(vm, task, end);
    else
        end->reason = status;
    return status == OK;
}

bool fault_serve(struct vmm *vm, record_t task, const uint64_t words[MESSAGE_WORDS])
{
    const struct task *t = task_of(vm, task);
    struct task_end end = {.exit_kind = EXIT_FAULT,
                           .reason = E_FAULT,
                           .code = words[0] | words[1] << 32,
                           .address = words[2],
                           .rip = words[3]};
    record_t pager = 0;
    bool is_over = words[5] && words[5] >> 32 != REFUSED_BY_OWN; // a window's pager was asked
    if (is_page_fault(words) && !is_over)
        end.reason = fault_resolve(vm, t->space, words[2], fault_access(words[1]), &pager);
    if (end.reason == E_FAULT && words[5])
        end.reason = refusal(words[5]);
    if (end.reason == OK || end.reason == E_MORE)
        return true;
    if (pager && hand_on(vm, task, pager, &end))
        return false;
    bool waits = lacks_memory(end.reason) && !is_over && !t->is_fragile;
    if (!t->is_probe)
        log_fault(vm, t, &end, waits ? " waits: " : " killed: ");
    if (!t->is_probe && !waits && is_page_fault(words))
        explain_log(vm, t->space, end.address, fault_access(words[1]));
    if (waits)
        task_starve(vm, task, &end);
    else
        task_end(vm, task, &end);
    return false;
}

// Whether the fault needs a frame still and its account has none. Most of those that wait do: they must
// not make a request of somebody else's, which gave something back, any longer.
static bool is_hopeless(struct vmm *vm, const struct task *t)
{
    const struct space *s = space_of(vm, t->space);
    unsigned access = fault_access(t->code >> 32);
    if (account_check(vm, s->account, 1) == OK)
        return false;
    struct spot spot = pt_find(vm, s->root, t->address >> PAGE_SHIFT);
    if (!(pte_prot(spot.pte) & access) || pte_is_device(spot.pte))
        return false;
    if (!pte_is_present(spot.pte))
        return pte_is_lazy(spot.pte);
    return access == PROT_W &&
           (spot.is_joint || !page_is_sole(vm, frame_number(pte_address(spot.pte)), spot.level));
}

// What the entry does not allow any more goes on too, and ends by its next fault.
void fault_retry(struct vmm *vm)
{
    record_t *link = &vm->state->starved;
    while (*link) {
        struct task *t = task_of(vm, *link);
        record_t pager;
        if (is_hopeless(vm, t)) {
            link = &t->next_starved;
            continue;
        }
        status_t status =
            fault_resolve(vm, t->space, t->address, fault_access(t->code >> 32), &pager);
        if (lacks_memory(status)) {
            link = &t->next_starved;
            continue;
        }
        flush_issue(vm);
        task_feed(vm, link);
    }
}

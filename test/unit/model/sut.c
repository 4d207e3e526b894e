// SPDX-License-Identifier: MIT
#include "sut.h"

#include <assert.h>
#include <string.h>

#include "servers/vmm/core/account.h"
#include "servers/vmm/core/audit.h"
#include "servers/vmm/core/fault.h"
#include "servers/vmm/core/grant.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/request.h"
#include "servers/vmm/core/reserve.h"
#include "servers/vmm/core/space.h"

void sut_start(struct sut *s, const struct universe *u, struct sut_config config)
{
    memset(s, 0, sizeof *s);
    s->u = u;
    board_start(&s->board, u, config.levels, config.n_frames, config.page_sizes);
    struct vmm *vm = &s->board.vm;
    record_t space, account = vm->state->root_account;
    portal_t number;
    status_t status = space_create(vm, account, 0, &space);
    assert(status == OK);
    status = grant_create_whole(vm, account, space, RIGHTS_ALL, &number);
    assert(status == OK);
    (void)status;
    s->badges[NAME_ROOT] = portal_badge(vm, PORTAL_GRANT, number);
    vmm_settle(vm);
    if (config.step_work)
        vm->state->step_work = config.step_work;
    s->audit_every = 64;
}

void sut_end(struct sut *s)
{
    board_end(&s->board);
}

static record_t space_id(const struct sut *s, unsigned name)
{
    return portal_of(&s->board.vm, badge_portal(s->badges[name]))->owner;
}

paddr_t sut_root(const struct sut *s, unsigned name)
{
    return frame_address(space_of(&s->board.vm, space_id(s, name))->root);
}

uint64_t sut_quota_left(struct sut *s, unsigned name)
{
    struct vmm *vm = &s->board.vm;
    const struct account *a = account_of(vm, space_of(vm, space_id(s, name))->account);
    return a->quota - a->charged - a->lent;
}

// Requests.

static uint64_t twisted_va(const struct sut *s, const struct op *op)
{
    uint64_t user_end = s->board.vm.state->user_pages << PAGE_SHIFT;
    switch (op->twist) {
    case TWIST_UNALIGNED:
        return plot_va(s->u, op->first) + 8;
    case TWIST_BEYOND:
        return user_end;
    case TWIST_WRAP:
        return -PAGE_SIZE;
    default:
        return plot_va(s->u, op->first);
    }
}

static uint64_t twisted_pages(const struct sut *s, const struct op *op)
{
    return op->twist == TWIST_EMPTY ? 0 : range_pages(s->u, op->first, op->n);
}

static void make_words(const struct sut *s, const struct op *op, uint64_t *words)
{
    static const uint8_t requests[OP_KINDS] = {
        [OP_CREATE] = VMM_SPACE_CREATE, [OP_CLONE] = VMM_SPACE_CLONE,
        [OP_DERIVE] = VMM_DERIVE,       [OP_MAP] = VMM_MAP,
        [OP_UNMAP] = VMM_UNMAP,         [OP_PROTECT] = VMM_PROTECT,
        [OP_SHARE] = VMM_SHARE,         [OP_MOVE] = VMM_MOVE,
        [OP_SNAPSHOT] = VMM_SNAPSHOT,   [OP_ROLLBACK] = VMM_ROLLBACK,
        [OP_DIFF] = VMM_DIFF,           [OP_REVOKE] = VMM_REVOKE,
    };
    bool has_range = op->kind != OP_CREATE && op->kind != OP_CLONE && op->kind != OP_SNAPSHOT &&
                     op->kind != OP_ROLLBACK && op->kind != OP_DIFF && op->kind != OP_REVOKE;
    memset(words, 0, MESSAGE_WORDS * sizeof *words);
    words[0] = vmm_word0(requests[op->kind], op->kind == OP_MAP ? op->flags : 0);
    if (has_range) {
        words[1] = twisted_va(s, op);
        words[2] = twisted_pages(s, op);
        words[3] = op->kind == OP_DERIVE ? op->prot | DERIVED_RIGHTS : op->prot;
    }
    if (op->kind == OP_SHARE || op->kind == OP_MOVE) {
        words[3] = plot_va(s->u, op->at);
        words[4] = op->prot;
    } else if (op->kind == OP_CREATE || op->kind == OP_SNAPSHOT) {
        words[1] = op->quota;
    } else if (op->kind == OP_CLONE) {
        words[1] = op->flags;
        words[2] = op->quota;
    }
}

// Between two steps the books are as right as after the last one.
static void between_steps(struct sut *s)
{
    s->n_steps++;
    if (s->n_steps % s->audit_every == 0 && audit(&s->board.vm))
        s->is_broken = true;
    if (s->meanwhile)
        s->meanwhile(s->meanwhile_context);
}

// A call, again and again while it is not done.
static status_t serve_steps(struct sut *s, struct request *r)
{
    const uint64_t word0 = r->words[0];
    bool is_revoke = (word0 & 0xffff) == VMM_REVOKE, is_under_way = false;
    for (;;) {
        request_serve(&s->board.vm, r);
        status_t status = (status_t)r->answer[0];
        if (status == E_REVOKED && is_under_way)
            return OK;
        if (status != E_MORE || r->gives_cap)
            return status;
        between_steps(s);
        is_under_way |= is_revoke && r->answer[1];
        if (is_revoke)
            continue; // with the words of the first call
        memcpy(r->words, r->answer, sizeof r->words);
        r->words[0] = word0;
    }
}

// What was given up is freed before anybody looks.
static void drain(struct sut *s)
{
    while (s->board.vm.state->dead_tables.n || s->board.vm.state->gone) {
        between_steps(s);
        vmm_begin(&s->board.vm);
        vmm_settle(&s->board.vm);
    }
}

static void drop_badge(struct sut *s, uint64_t badge)
{
    bool is_dead = !badge_find(&s->board.vm, badge);
    struct request r = {.event = is_dead ? EVENT_PORTAL_UNUSED : EVENT_LAST_REFERENCE,
                        .badge = is_dead ? 0 : badge};
    r.words[0] = badge_portal(badge);
    request_serve(&s->board.vm, &r);
}

// A clone that is there, but whose pages are copied in steps. One that cannot be goes.
static status_t settle_clone(struct sut *s, uint64_t badge)
{
    struct request r = {.event = EVENT_CALL, .badge = badge};
    r.words[0] = vmm_word0(VMM_SETTLE, 0);
    status_t status = serve_steps(s, &r);
    if (status != OK)
        drop_badge(s, r.badge);
    return status;
}

static status_t run_request(struct sut *s, const struct op *op, unsigned made, const char **why)
{
    struct request r = {.event = EVENT_CALL, .badge = s->badges[op->name], .wants_cap = true};
    uint64_t n_mints = s->board.n_mints;
    make_words(s, op, r.words);
    if (op->kind == OP_SHARE || op->kind == OP_MOVE || op->kind == OP_ROLLBACK ||
        op->kind == OP_DIFF || (op->kind == OP_REVOKE && (op->other != op->name || op->flags))) {
        r.carried = CARRIED_BADGE;
        r.carried_value = s->badges[op->other];
    }
    status_t status = serve_steps(s, &r);
    bool is_long = status == E_MORE && r.gives_cap;
    const uint64_t badge = s->board.minted;
    if (is_long)
        status = settle_clone(s, badge);
    bool makes = status == OK && made < NAMES;
    if (!r.is_answered || r.gives_cap != (makes || is_long) || s->board.n_mints < n_mints + makes) {
        *why = "the answer has no capability, or one too many";
        return SUT_BROKEN;
    }
    if (makes)
        s->badges[made] = badge;
    return status;
}

static status_t run_drop(struct sut *s, const struct op *op)
{
    drop_badge(s, s->badges[op->name]);
    return OK;
}

status_t sut_ask(struct sut *s, enum vmm_request request, unsigned name, unsigned other, vaddr_t va,
                 uint64_t words[MESSAGE_WORDS])
{
    struct request r = {.event = EVENT_CALL,
                        .badge = s->badges[name],
                        .carried = CARRIED_BADGE,
                        .carried_value = s->badges[other]};
    r.words[0] = vmm_word0(request, 0);
    r.words[1] = va;
    status_t status = serve_steps(s, &r);
    memcpy(words, r.answer, sizeof r.answer);
    return status;
}

// Accesses.

static uint32_t *content_at(const struct sut *s, paddr_t page, unsigned offset)
{
    return (uint32_t *)(void *)(s->board.memory.bytes + (page & ~PAGE_MASK) + offset);
}

bool sut_content(const struct sut *s, paddr_t page, uint32_t *value)
{
    *value = *content_at(s, page, 0);
    // A page never written is zero at both ends.
    return *content_at(s, page, PAGE_SIZE - 4) == (*value ? ~*value : 0);
}

static status_t do_access(struct sut *s, const struct op *op, paddr_t page, uint32_t *value,
                          const char **why)
{
    if (op->kind == OP_WRITE) {
        *content_at(s, page, 0) = op->value;
        *content_at(s, page, PAGE_SIZE - 4) = ~op->value;
    } else if (!sut_content(s, page, value)) {
        *why = "the page is torn";
        return SUT_BROKEN;
    }
    return OK;
}

// An access faults at most once: what the VMM resolved is allowed then.
static status_t run_access(struct sut *s, const struct op *op, uint32_t *value, const char **why)
{
    struct vmm *vm = &s->board.vm;
    unsigned access = op->kind == OP_WRITE ? PROT_W : op->kind == OP_READ ? PROT_R : PROT_X;
    paddr_t page;
    for (unsigned i = 0; i < 2; i++) {
        enum tlb_answer answer =
            tlb_access(&s->board.tlb, op->cpu, sut_root(s, op->name), op->first, access, &page);
        if (answer == TLB_OK)
            return do_access(s, op, page, value, why);
        if (answer == TLB_STALE) {
            *why = "an access through a stale entry";
            return SUT_BROKEN;
        }
        record_t pager;
        status_t status;
        do {
            vmm_begin(vm);
            status =
                fault_resolve(vm, space_id(s, op->name), plot_va(s->u, op->first), access, &pager);
            vmm_settle(vm);
            if (status == E_MORE)
                between_steps(s);
        } while (status == E_MORE);
        if (status != OK)
            return status;
        s->n_faults++;
    }
    *why = "a fault was resolved, but the access still faults";
    return SUT_BROKEN;
}

static status_t run(struct sut *s, const struct op *op, unsigned made, uint32_t *value,
                    const char **why)
{
    switch (op->kind) {
    case OP_DROP:
        return run_drop(s, op);
    case OP_WRITE:
    case OP_READ:
    case OP_EXEC:
        return run_access(s, op, value, why);
    default:
        return run_request(s, op, made, why);
    }
}

status_t sut_run(struct sut *s, const struct op *op, unsigned made, uint32_t *value,
                 const char **why)
{
    uint64_t n_killed = s->board.n_killed;
    status_t status = run(s, op, made, value, why);
    drain(s);
    s->n_killed = (unsigned)(s->board.n_killed - n_killed);
    if (!s->is_broken)
        return status;
    *why = s->board.log;
    return SUT_BROKEN;
}

// Frames taken away: chained by their first word, the level in the second. Large blocks first.

void sut_squeeze(struct sut *s, uint64_t keep)
{
    struct vmm *vm = &s->board.vm;
    for (unsigned level = BLOCK_LEVELS; level; level--) {
        struct reserve r;
        const uint64_t n[3] = {level == 1, level == 2, level == 3};
        while (vm->state->n_free >= keep + (1ull << level_order(level)) &&
               reserve_fill(vm, &r, vm->state->root_account, n, false) == OK) {
            pfn_t pfn = reserve_take(vm, &r, level, FRAME_HELD);
            uint32_t *words = frame_at(vm, pfn);
            frame_of(vm, pfn)->flags = 0;
            words[0] = s->hoard;
            words[1] = level;
            s->hoard = pfn.n;
        }
    }
}

void sut_release(struct sut *s)
{
    struct vmm *vm = &s->board.vm;
    while (s->hoard) {
        pfn_t pfn = {s->hoard};
        const uint32_t *words = frame_at(vm, pfn);
        s->hoard = words[0];
        frame_free_block(vm, pfn, words[1]);
    }
    vmm_settle(vm);
}

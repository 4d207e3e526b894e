// SPDX-License-Identifier: MIT
#include "lockstep.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "servers/vmm/core/audit.h"

#define SUM_UNKNOWN 0u

bool lockstep_fail(struct lockstep *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->why, sizeof l->why, format, args);
    va_end(args);
    return false;
}

void lockstep_start(struct lockstep *l, const struct universe *u, struct sut_config config)
{
    memset(l, 0, sizeof *l);
    l->u = u;
    l->audit_every = 1;
    model_start(&l->model, u);
    sut_start(&l->sut, u, config);
    l->n_free = l->sut.board.vm.state->n_free;
}

void lockstep_end(struct lockstep *l)
{
    sut_end(&l->sut);
}

static bool check_books(struct lockstep *l)
{
    const struct state *s = l->sut.board.vm.state;
    if (s->n_free + s->n_charged + s->n_reserved != s->n_boot)
        return lockstep_fail(l, "frames: %llu free + %llu charged + %llu reserved, not %llu",
                             (unsigned long long)s->n_free, (unsigned long long)s->n_charged,
                             (unsigned long long)s->n_reserved, (unsigned long long)s->n_boot);
    if (l->n_ops % l->audit_every == 0 && audit(&l->sut.board.vm))
        return lockstep_fail(l, "the audit finds: %s", l->sut.board.log);
    return true;
}

static bool check_tlb(struct lockstep *l)
{
    struct tlb_place p;
    const struct tlb *t = &l->sut.board.tlb;
    if (t->n_late)
        return lockstep_fail(l, "a frame was free before its flush");
    if (tlb_is_clean(t, &p))
        return true;
    return lockstep_fail(l, "no flush: cpu %u still has the %s (level %u) for 0x%llx, root 0x%llx",
                         p.cpu, p.is_table ? "table" : "page", p.level, (unsigned long long)p.va,
                         (unsigned long long)p.root);
}

void lockstep_speculate(struct lockstep *l)
{
    struct tlb *t = &l->sut.board.tlb;
    for (unsigned i = 0; i < NAMES; i++)
        if (l->model.names[i].is_live && !l->model.names[i].is_snapshot)
            tlb_speculate(t, sut_root(&l->sut, i));
    tlb_speculate(t, TLB_GLOBAL);
}

bool lockstep_check_machine(struct lockstep *l)
{
    return check_tlb(l) && check_books(l);
}

void lockstep_say(const struct lockstep *l, const char *before, const struct op *op)
{
    char text[OP_TEXT];
    op_print(op, l->u, text);
    fprintf(stderr, "%s%s\n", before, text);
}

static bool check_all(struct lockstep *l, const struct op *op)
{
    if (!lockstep_check_machine(l) || !compare_all(l))
        return false;
    for (unsigned name = 0; name < NAMES; name++)
        if (l->model.names[name].is_live && (name == op->name || name == op->other) &&
            !compare_answers(l, name))
            return false;
    lockstep_speculate(l);
    return op->kind != OP_DIFF || model_judge(&l->model, op) ||
           compare_diff(l, op->name, op->other);
}

static bool check_value(struct lockstep *l, const struct op *op, uint32_t value)
{
    if (op->kind == OP_READ && value != model_value(&l->model, op))
        return lockstep_fail(l, "read %u, not %u", value, model_value(&l->model, op));
    return true;
}

// The kernel knows that all of the family are dead, and nobody else.
static bool check_killed(struct lockstep *l, const struct op *op)
{
    unsigned n = (unsigned)__builtin_popcount(model_family(&l->model, op->other));
    if (l->sut.n_killed == n)
        return true;
    return lockstep_fail(l, "%u capabilities were made dead, not %u", l->sut.n_killed, n);
}

// The core said that it did it.
static bool accept(struct lockstep *l, const struct op *op, unsigned made, uint32_t value)
{
    uint32_t errors = model_judge(&l->model, op);
    if (errors)
        return lockstep_fail(l, "it succeeds, but one of the errors 0x%x is due", errors);
    if (!check_value(l, op, value))
        return false;
    if (op->kind == OP_REVOKE && !check_killed(l, op))
        return false;
    model_apply(&l->model, op, made);
    l->n_done[op->kind]++;
    return true;
}

// The core refused: for a reason, and without a trace.
static bool refuse(struct lockstep *l, const struct op *op, status_t status, uint64_t sum,
                   bool is_short)
{
    uint32_t errors = model_judge(&l->model, op);
    bool is_due = status > SUT_BROKEN && errors & ERROR(status);
    if (!is_due && !is_short)
        return lockstep_fail(l, "%s, but one of 0x%x is due", status_name(status), errors);
    if (sum != SUM_UNKNOWN && sum != board_sum(&l->sut.board))
        return lockstep_fail(l, "%s, but the tables changed", status_name(status));
    if (is_due)
        l->n_refused[op->kind]++;
    else
        l->n_short[op->kind]++;
    return true;
}

bool lockstep_try(struct lockstep *l, const struct op *op, uint64_t keep, status_t *status)
{
    unsigned made = model_made(&l->model, op);
    // The sum takes time: only where a failure is likely.
    bool may_fail = keep < l->sut.board.vm.state->n_free || model_judge(&l->model, op);
    uint64_t sum = may_fail ? board_sum(&l->sut.board) : SUM_UNKNOWN;
    uint32_t value = 0;
    const char *why = "";
    sut_squeeze(&l->sut, keep);
    struct need_short is_short = need_measure(l, &l->model, op);
    uint64_t n_unneeded = l->sut.board.tlb.n_unneeded;
    meanwhile_begin(l, op, made);
    *status = sut_run(&l->sut, op, made, &value, &why);
    l->sut.meanwhile = NULL;
    l->n_unneeded[op->kind] += l->sut.board.tlb.n_unneeded - n_unneeded;
    sut_release(&l->sut);
    if (*status == SUT_BROKEN)
        return lockstep_fail(l, "%s", why);
    bool lacks = need_tells(&is_short, *status);
    bool is_well = l->meanwhile.n_inner ? meanwhile_end(l, *status)
                   : *status == OK      ? accept(l, op, made, value)
                                        : refuse(l, op, *status, sum, lacks);
    return is_well && check_all(l, op);
}

bool lockstep_do(struct lockstep *l, const struct op *op)
{
    status_t status = E_NOMEM;
    if (!model_is_possible(&l->model, op))
        return true;
    l->n_ops++;
    if (l->is_loud)
        lockstep_say(l, "  ", op);
    if (op->squeeze && !lockstep_try(l, op, op->squeeze - 1u, &status))
        return false;
    // What failed for want of memory only must succeed now that there is some.
    return (status != E_NOMEM && status != E_QUOTA) || lockstep_try(l, op, UINT32_MAX, &status);
}

bool lockstep_finish(struct lockstep *l)
{
    l->audit_every = 1;
    for (uint8_t name = 1; name < NAMES; name++)
        if (!lockstep_do(l, &(struct op){.kind = OP_DROP, .name = name}))
            return false;
    if (!lockstep_do(l, &(struct op){.kind = OP_UNMAP, .n = (uint8_t)l->u->n}))
        return false;
    uint64_t n_free = l->sut.board.vm.state->n_free;
    if (n_free != l->n_free)
        return lockstep_fail(l, "%llu frames are free at the end, not %llu",
                             (unsigned long long)n_free, (unsigned long long)l->n_free);
    return true;
}

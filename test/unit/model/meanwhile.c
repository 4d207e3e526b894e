// SPDX-License-Identifier: MIT
// What happens while a request goes on in steps: other requests and accesses, between any two of them.
// Whatever they meet, all must look as if the request had been carried out in one go, at some moment
// while it was under way. So there is a model in which it has not been carried out yet, and one for each
// moment at which it may have been; what does not tally with what is seen is out, and one must be left.
#include "lockstep.h"

#include <stdio.h>

#include "draw.h"

static bool takes_steps(const struct op *op)
{
    static const bool answers[OP_KINDS] = {
        [OP_CLONE] = true,   [OP_MAP] = true,   [OP_UNMAP] = true,
        [OP_PROTECT] = true, [OP_SHARE] = true, [OP_MOVE] = true,
    };
    return answers[op->kind];
}

// The request may have been carried out now.
static void fork_model(struct meanwhile *w, const struct op *op, unsigned made)
{
    struct guess *g = &w->guesses[w->n++];
    uint32_t errors = model_judge(&w->pending, op);
    w->errors |= errors;
    g->is_left = w->is_pending && !errors;
    g->model = w->pending;
    g->model.reserved = NAME_NONE;
    if (g->is_left)
        model_apply(&g->model, op, made);
}

static bool tallies(const struct model *m, const struct op *op, status_t status, uint32_t value,
                    bool is_short)
{
    uint32_t errors = model_judge(m, op);
    if (status != OK)
        return is_short || (status > SUT_BROKEN && errors & ERROR(status));
    return !errors && (op->kind != OP_READ || value == model_value(m, op));
}

// What was done meanwhile is done in a model, if it tallies.
static bool advance(struct model *m, const struct op *op, status_t status, uint32_t value,
                    bool is_short)
{
    unsigned made = model_made(m, op);
    if (!tallies(m, op, status, value, is_short))
        return false;
    if (status == OK)
        model_apply(m, op, made);
    return true;
}

// One that leaves the names alone through which the request came.
static bool draw_inner(struct lockstep *l, struct op *inner)
{
    const struct meanwhile *w = &l->meanwhile;
    const struct op *op = w->op;
    for (unsigned i = 0; i < 8; i++) {
        *inner = op_draw(random_next(&l->meanwhile.seed), &w->pending);
        inner->squeeze = 0;
        bool drops =
            inner->kind == OP_DROP && (inner->name == op->name || inner->name == op->other);
        if (!drops && inner->kind != OP_DIFF && model_is_possible(&w->pending, inner))
            return true;
    }
    return false;
}

static bool is_one_left(const struct meanwhile *w)
{
    bool is_left = w->is_pending;
    for (unsigned i = 0; i < w->n; i++)
        is_left |= w->guesses[i].is_left;
    return is_left;
}

static bool do_inner(struct lockstep *l, const struct op *inner)
{
    struct meanwhile *w = &l->meanwhile;
    const char *why = "";
    uint32_t value = 0;
    struct need_short is_short = need_measure(l, &w->pending, inner);
    unsigned made = model_made(&w->pending, inner);
    status_t status = sut_run(&l->sut, inner, made, &value, &why);
    if (status == SUT_BROKEN)
        return lockstep_fail(l, "meanwhile: %s", why);
    bool lacks = need_tells(&is_short, status);
    for (unsigned i = 0; i < w->n; i++) {
        struct guess *g = &w->guesses[i];
        g->is_left = g->is_left && advance(&g->model, inner, status, value, lacks);
    }
    w->is_pending = w->is_pending && advance(&w->pending, inner, status, value, lacks);
    if (!is_one_left(w))
        return lockstep_fail(l, "meanwhile: %s (%u): neither as before the request nor as after it",
                             status_name(status), value);
    fork_model(w, w->op, w->made);
    return lockstep_check_machine(l);
}

// Between two steps of the request.
static void happen(void *context)
{
    struct lockstep *l = context;
    struct meanwhile *w = &l->meanwhile;
    struct op inner;
    if (w->is_bad || w->n_inner == MEANWHILE_MAX || random_next(&w->seed) & 1 ||
        !draw_inner(l, &inner))
        return;
    if (l->is_loud)
        lockstep_say(l, "    meanwhile: ", &inner);
    w->inner[w->n_inner++] = inner;
    l->sut.meanwhile = NULL;
    w->is_bad = !do_inner(l, &inner);
    l->sut.meanwhile = happen;
}

void meanwhile_begin(struct lockstep *l, const struct op *op, unsigned made)
{
    struct meanwhile *w = &l->meanwhile;
    w->n = w->n_inner = 0;
    w->is_bad = false;
    if (!op->meanwhile || !takes_steps(op))
        return;
    w->op = op;
    w->made = made;
    w->seed = op->meanwhile;
    w->errors = 0;
    w->is_pending = true;
    w->pending = l->model;
    w->pending.reserved = (uint8_t)made;
    fork_model(w, op, made);
    l->sut.meanwhile = happen;
    l->sut.meanwhile_context = l;
}

// Whether what is seen now is what the model says. Else why not is forgotten.
static bool settles_on(struct lockstep *l, const struct model *m)
{
    l->model = *m;
    l->model.reserved = NAME_NONE;
    bool is_well = compare_all(l);
    for (unsigned name = 0; name < NAMES && is_well; name++)
        is_well = !m->names[name].is_live || compare_answers(l, name);
    return is_well;
}

// Whether the grant through which it was asked for is gone: then its caller heard nothing else.
static bool lost_name(const struct meanwhile *w)
{
    const struct name *names = w->pending.names;
    return names[w->op->name].is_revoked || names[w->op->other].is_revoked;
}

bool meanwhile_end(struct lockstep *l, status_t status)
{
    struct meanwhile *w = &l->meanwhile;
    bool is_lost = status == E_REVOKED && lost_name(w);
    bool may_fail = is_lost || status == E_NOMEM || status == E_QUOTA ||
                    (status < 0 && status > SUT_BROKEN && w->errors & ERROR(status));
    l->sut.meanwhile = NULL;
    if (w->is_bad)
        return false;
    if (status == OK)
        l->n_done[w->op->kind]++;
    for (unsigned i = 0; i < w->n && (status == OK || is_lost); i++)
        if (w->guesses[i].is_left && settles_on(l, &w->guesses[i].model))
            return true;
    if (may_fail && w->is_pending && settles_on(l, &w->pending))
        return true;
    return lockstep_fail(l, "%s, with others meanwhile: nothing explains what is seen",
                         status_name(status));
}

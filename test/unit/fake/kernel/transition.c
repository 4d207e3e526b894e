// SPDX-License-Identifier: MIT
#include "test/unit/fake/kernel/transition.h"

#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "test/unit/fake/kernel/check.h"

#include <stdio.h>
#include <string.h>

struct portal_before {
    struct endpoint *endpoint;
    bool is_used;
};

static struct {
    struct task *actor;
    uint64_t header, w[3];
    struct {
        bool is_task;
        enum task_state state;
        enum message_kind event;
        struct slot *receive_into, *reply_into; // that it named, if it waits
        struct registers regs;
    } task[FAKE_FRAMES];
    struct {
        bool is_endpoint, is_notified, was_heard;
        uint64_t word;
    } endpoint[FAKE_FRAMES];
    struct portal_before portal[FAKE_FRAMES][PORTALS_PER_FRAME];
    bool is_portals[FAKE_FRAMES];
} before;

static char wrong[200];

static const char *complain(const char *what, uint64_t which)
{
    snprintf(wrong, sizeof wrong, "%s (%lu)", what, which);
    return wrong;
}

static bool is_used(const struct portal *p)
{
    return p->endpoint || p->refs || list_is_linked(&p->link);
}

// Nobody can receive there and the machine knows it.
static bool was_heard(const struct endpoint *e)
{
    return !e->refs && !list_is_linked(&e->link);
}

static void note_frame(uint64_t i)
{
    struct task *t = check_object(i, OBJECT_TASK);
    struct endpoint *e = check_object(i, OBJECT_ENDPOINT);
    struct portals *p = check_object(i, OBJECT_PORTALS);
    before.task[i].is_task = t;
    before.endpoint[i].is_endpoint = e;
    before.is_portals[i] = p;
    if (t) {
        before.task[i].state = t->state;
        before.task[i].event = task_message_kind(t);
        bool is_receiving = t->state == TASK_RECEIVING;
        before.task[i].receive_into = is_receiving ? t->receive_into : slot_at(t, t->receive);
        before.task[i].reply_into = t->reply_into;
        before.task[i].regs = t->regs;
    }
    if (e) {
        before.endpoint[i].is_notified = e->is_notified;
        before.endpoint[i].word = e->word;
        before.endpoint[i].was_heard = was_heard(e);
    }
    for (unsigned k = 0; p && k < PORTALS_PER_FRAME; k++)
        before.portal[i][k] = (struct portal_before){p->place[k].endpoint, is_used(&p->place[k])};
}

void transition_begin(struct task *actor)
{
    before.actor = actor;
    before.header = actor ? actor->regs.rax : 0;
    for (unsigned i = 0; i < 3; i++)
        before.w[i] = actor ? actor->regs.w[i] : 0;
    for (uint64_t i = 0; i < FAKE_FRAMES; i++)
        note_frame(i);
}

static unsigned kind_of(const struct task *t)
{
    return t->regs.rax >> RESULT_KIND_SHIFT & RESULT_KIND_MASK;
}

// Whether the entry wrote a successful result into this task's registers.
static bool is_fresh(struct task *t)
{
    uint32_t i = t->object.index;
    if (!before.task[i].is_task || t->state != TASK_READY || (int32_t)t->regs.rax != OK)
        return false;
    return t == before.actor || before.task[i].state == TASK_RECEIVING ||
           before.task[i].state == TASK_WAITING;
}

// How many messages of that kind and first word were delivered. The first word of a notification
// need only include `w0`.
static unsigned count_delivered(enum message_kind kind, uint64_t w0)
{
    unsigned n = 0;
    for (uint64_t i = 0; i < FAKE_FRAMES; i++) {
        struct task *t = check_object(i, OBJECT_TASK);
        if (!t || !is_fresh(t) || kind_of(t) != kind)
            continue;
        n += kind == MESSAGE_NOTIFICATION ? (t->regs.w[0] & w0) == w0 : t->regs.w[0] == w0;
    }
    return n;
}

static const char *judge_portal(uint64_t number, const struct portal_before *b,
                                const struct portal *p)
{
    uint64_t place = number % PORTALS_PER_FRAME;
    bool is_revoked = before.actor && header_number(before.header) == SYS_PORTAL_REVOKE &&
                      before.w[0] == number / PORTALS_PER_FRAME &&
                      before.w[1 + place / 64] >> place % 64 & 1;
    bool by_machine = b->endpoint == machine_endpoint && !is_revoked;
    if (b->endpoint && !p->endpoint && !is_revoked &&
        count_delivered(MESSAGE_LAST_REFERENCE, number) != 1)
        return complain("a last reference was not told once", number);
    if (b->is_used && !is_used(p) && !by_machine &&
        count_delivered(MESSAGE_PORTAL_UNUSED, number) != 1)
        return complain("an unused portal was not told once", number);
    return NULL;
}

static const char *judge_portals(uint64_t i)
{
    const struct portals *p = check_object(i, OBJECT_PORTALS);
    for (unsigned k = 0; p && before.is_portals[i] && k < PORTALS_PER_FRAME; k++) {
        const char *problem =
            judge_portal(i * PORTALS_PER_FRAME + k, &before.portal[i][k], &p->place[k]);
        if (problem)
            return problem;
    }
    return NULL;
}

static const char *judge_endpoint(uint64_t i)
{
    struct endpoint *e = check_object(i, OBJECT_ENDPOINT);
    if (!e || !before.endpoint[i].is_endpoint)
        return NULL;
    if (was_heard(e) && !before.endpoint[i].was_heard &&
        count_delivered(MESSAGE_ENDPOINT_UNUSED, i) != 1)
        return complain("an unused endpoint was not told once", i);
    if (before.endpoint[i].is_notified && !e->is_notified &&
        !count_delivered(MESSAGE_NOTIFICATION, before.endpoint[i].word))
        return complain("a notification got lost", i);
    return NULL;
}

// A receiver has a reply capability exactly if a task called, with that task's words.
static const char *judge_received(struct task *r, const struct slot *s)
{
    unsigned kind = kind_of(r);
    bool is_call = kind == MESSAGE_CALL || kind == MESSAGE_EXCEPTION || kind == MESSAGE_EXIT;
    if ((s->type == SLOT_REPLY) != is_call)
        return complain("reply slot and message disagree", r->object.index);
    if (!is_call)
        return NULL;
    if (task_message_kind(s->caller) != kind)
        return complain("another kind than the caller sent", r->object.index);
    if (kind == MESSAGE_CALL && memcmp(s->caller->regs.w, r->regs.w, sizeof r->regs.w) != 0)
        return complain("other words than the caller sent", r->object.index);
    if (!(r->regs.rax & RESULT_WANTS_CAP) != !s->caller->receive)
        return complain("whether the caller takes a capability", r->object.index);
    return NULL;
}

static const char *judge_returned(struct task *t, status_t status)
{
    uint64_t zero[MESSAGE_WORDS] = {0};
    if (status > OK || status < E_OVERFLOW)
        return complain("a status that is none", t->object.index);
    if (status != OK && (t->regs.rax >> 32 || t->regs.rbx || t->regs.r12 ||
                         memcmp(t->regs.w, zero, sizeof zero) != 0))
        return complain("an error with words", t->object.index);
    return NULL;
}

// A slot named for a capability is full exactly if the result says that one came.
static const char *judge_carried(struct task *t, const struct slot *s)
{
    bool is_full = s && s->type != SLOT_EMPTY;
    bool is_told = (int32_t)t->regs.rax == OK && t->regs.rax & RESULT_CAP;
    if (is_full != is_told)
        return complain("receive slot and result disagree", t->object.index);
    return NULL;
}

static const char *judge_bystander(struct task *t)
{
    if (memcmp(&t->regs, &before.task[t->object.index].regs, sizeof t->regs) != 0)
        return complain("the registers of a task not concerned", t->object.index);
    return NULL;
}

// A task that waited and goes on.
static const char *judge_woken(struct task *t, enum task_state state)
{
    if (before.task[t->object.index].event != MESSAGE_CALL)
        return judge_bystander(t); // an exception was answered
    status_t status = (int32_t)t->regs.rax;
    uint32_t i = t->object.index;
    const char *problem = state == TASK_RECEIVING && status == OK
                              ? judge_received(t, before.task[i].reply_into)
                              : judge_returned(t, status);
    if (problem || state == TASK_WAITING)
        return problem;
    return judge_carried(t, before.task[i].receive_into);
}

// The task that made the system call and goes on.
static const char *judge_actor(struct task *t)
{
    status_t status = (int32_t)t->regs.rax;
    bool is_receive = header_number(before.header) == SYS_REPLY_RECV &&
                      header_target(before.header); // 0: only replies
    if (status != OK || !is_receive)
        return judge_returned(t, status);
    const char *problem = judge_received(t, slot_at(t, header_reply(before.header)));
    return problem ? problem : judge_carried(t, slot_at(t, header_receive(before.header)));
}

static const char *judge_task(struct task *t)
{
    uint32_t i = t->object.index;
    enum task_state state = before.task[i].state;
    if (!before.task[i].is_task)
        return NULL;
    if (t == before.actor)
        return t->state == TASK_READY ? judge_actor(t) : NULL;
    if (state == TASK_READY)
        return judge_bystander(t);
    if (t->state == TASK_READY && state != TASK_NEW && state != TASK_STOPPED)
        return judge_woken(t, state);
    return NULL;
}

const char *transition_end(void)
{
    const char *problem = NULL;
    for (uint64_t i = 0; i < FAKE_FRAMES && !problem; i++) {
        struct task *t = check_object(i, OBJECT_TASK);
        problem = t ? judge_task(t) : NULL;
        if (!problem)
            problem = judge_portals(i);
        if (!problem)
            problem = judge_endpoint(i);
    }
    return problem;
}

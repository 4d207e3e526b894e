// SPDX-License-Identifier: MIT
#include "kernel/ipc.h"

#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"

// What a receiver learns beside the words.
struct delivery {
    enum message_kind kind;
    uint64_t flags; // RESULT_*
    uint64_t badge;
    uint64_t carried;
};

static void deliver(struct task *r, const struct delivery *d, const uint64_t *words)
{
    struct registers *regs = &r->regs;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        regs->w[i] = words[i];
    if (r == r->cpu->current)
        r->cpu->payer = r; // unless it is a call that it takes: see take_call()
    regs->rax = (uint64_t)d->kind << RESULT_KIND_SHIFT | d->flags;
    regs->rbx = d->badge;
    regs->r12 = d->carried;
}

// Moves or copies the capability that `s` sends with its call to `r`, who receives on `e`.
static status_t carry(struct task *s, struct task *r, struct endpoint *e, struct delivery *d)
{
    if (!header_send(s->header))
        return OK;
    bool move = header_flags(s->header) & SYS_MOVE;
    struct slot *from = slot_at(s, header_send(s->header));
    status_t status = slot_check_send(from, move);
    if (status != OK)
        return status;
    if (from->type == SLOT_REPLY && from->caller->special & SPECIAL_EXCEPTION &&
        e == machine_endpoint) {
        d->flags |= RESULT_OBJECT;
        uint64_t page = from->caller->fault_address >> PAGE_SHIFT, most = ~0ull >> FAULT_PAGE_SHIFT;
        d->carried = from->caller->object.index | (page < most ? page : most) << FAULT_PAGE_SHIFT;
        return OK; // shown, and kept by its holder, who is to answer
    }
    if (from->type == SLOT_PORTAL && from->portal->endpoint == e) {
        d->flags |= RESULT_OWN;
        d->carried = from->portal->badge;
    } else if (from->type == SLOT_ENDPOINT && e == machine_endpoint) {
        d->flags |= RESULT_OBJECT;
        d->carried = from->endpoint->object.index;
    } else {
        struct slot *to = r->receive_into;
        if (!to || to->type != SLOT_EMPTY)
            return E_NOSLOT;
        unsigned mask = header_flags(s->header) >> 4;
        d->flags |= RESULT_CAP;
        task_slot_fills(r, to);
        if (move)
            task_slot_empties(s, from);
        if (from->type == SLOT_PORTAL && e == machine_endpoint)
            d->carried = portal_number(from->portal);
        return header_flags(s->header) & SYS_LEND ? slot_lend(from, to, s, mask)
                                                  : slot_transfer(from, to, move, mask);
    }
    if (move) {
        task_slot_empties(s, from);
        slot_drop(from);
    }
    return OK;
}

// The words of a task's message: its own, or what befell it, put into `room`.
static const uint64_t *message_words(const struct task *s, uint64_t *room)
{
    const struct registers *regs = &s->regs;
    if (!(s->special & SPECIAL_EVENT))
        return regs->w;
    bool is_exit = s->special & SPECIAL_EXIT;
    room[0] = is_exit ? regs->w[0] : regs->vector;
    room[1] = is_exit ? 0 : regs->error;
    room[2] = is_exit ? 0 : s->fault_address;
    room[3] = is_exit ? 0 : regs->rip;
    room[4] = is_exit ? 0 : regs->rsp;
    room[5] = s->special & SPECIAL_RETURNED ? s->refusal : 0;
    return room;
}

// Hands the call of `s`, first in the queue, to `r`. If it cannot be, `s` wakes with the reason.
static bool take_call(struct endpoint *e, struct task *s, struct task *r)
{
    struct delivery d = {.kind = task_message_kind(s), .badge = s->via->badge};
    status_t status = s->via->endpoint ? carry(s, r, e, &d) : s->via->why;
    if (status != OK) {
        ipc_cancel(s, status);
        return false;
    }
    e->calls_first = false;
    if (s->receive)
        d.flags |= RESULT_WANTS_CAP;
    uint64_t room[MESSAGE_WORDS];
    deliver(r, &d, message_words(s, room));

    *r->reply_into = (struct slot){.caller = s, .type = SLOT_REPLY, .flags = SLOT_MOVE};
    list_remove(&s->link);
    s->state = TASK_ANSWER;
    s->reply_slot = r->reply_into;
    if (r->effective < s->effective)
        r->effective = s->effective;
    if (r == r->cpu->current)
        r->cpu->payer = s;
    portal_dequeue(s->via, s);
    return true;
}

static void take_notification(struct endpoint *e, struct task *r)
{
    const uint64_t words[MESSAGE_WORDS] = {e->word};
    deliver(r, &(struct delivery){.kind = MESSAGE_NOTIFICATION}, words);
    e->word = 0;
    e->is_notified = false;
    e->reports_first = true;
}

// A link in an endpoint's reports lies in the frame of the object that it stands for.
static void take_report(struct endpoint *e, struct task *r)
{
    struct list *link = e->reports.next;
    list_remove(link);
    e->reports_first = false;
    const struct object *frame = (struct object *)((uintptr_t)link & ~PAGE_MASK);
    if (frame->kind == OBJECT_ENDPOINT) {
        const uint64_t words[MESSAGE_WORDS] = {frame->index};
        deliver(r, &(struct delivery){.kind = MESSAGE_ENDPOINT_UNUSED}, words);
        return;
    }
    struct portal *p = container_of(link, struct portal, link);
    const uint64_t words[MESSAGE_WORDS] = {portal_number(p)};
    deliver(r, &(struct delivery){.kind = p->report, .badge = p->badge}, words);
    portal_heard(p);
}

// Hands one pending message to `r`. E_BUSY: nothing is there. E_MORE: only calls that failed were.
static status_t take(struct endpoint *e, struct task *r)
{
    for (unsigned work = 0; work < KERNEL_WAKE_MAX; work++) {
        bool is_other = e->is_notified || !list_is_empty(&e->reports);
        if (!list_is_empty(&e->senders) && (e->calls_first || !is_other)) {
            if (take_call(e, task_of_link(e->senders.next), r))
                return OK;
            continue;
        }
        if (!is_other)
            return E_BUSY;
        e->calls_first = true;
        if (e->is_notified && (!e->reports_first || list_is_empty(&e->reports)))
            take_notification(e, r);
        else
            take_report(e, r);
        return OK;
    }
    return E_MORE;
}

void ipc_serve(struct endpoint *e)
{
    if (e->standing <= STANDING_PENDING) { // nobody waits
        e->standing = STANDING_PENDING;
        return;
    }
    // Out of the queue first: a call that is taken may report its last reference here.
    struct task *r = endpoint_take_receiver(e);
    if (r) {
        bool is_call = !list_is_empty(&e->senders);
        if (take(e, r) != OK)
            endpoint_add_receiver(e, r, true);
        else if (is_call)
            sched_wake_direct(r);
        else
            sched_wake(r);
    } else if (e->is_notified && !list_is_empty(&e->waiters)) {
        struct task *w = task_of_link(e->waiters.next);
        list_remove(&w->link);
        take_notification(e, w);
        sched_wake(w);
    }
    endpoint_settle(e);
}

void ipc_cancel(struct task *sender, status_t status)
{
    list_remove(&sender->link);
    portal_dequeue(sender->via, sender);
    task_wake_error(sender, status);
}

// Whether a call may go through `p` now, and the reference for the time in the queue.
static status_t portal_enter(struct portal *p)
{
    status_t status = portal_status(p);
    return status == OK ? portal_hold(p) : status;
}

// Queues a task behind a portal whose reference it takes over.
static void send(struct task *s, struct portal *p)
{
    portal_enqueue(p, s);
    s->state = TASK_SENDING;
    list_push_back(&p->endpoint->senders, &s->link);
    ipc_serve(p->endpoint);
}

static struct slot *portal_slot(struct task *t, slot_t number, unsigned flag, status_t *status)
{
    struct slot *s = slot_of_type(t, number, SLOT_PORTAL);
    *status = !s ? E_SLOT : s->flags & flag ? OK : E_RIGHT;
    return s;
}

// Whether the capability that the call sends, if any, may be. A receive right is not lent: who waits at
// an endpoint holds on to it by that right, which would end in his back.
static status_t check_sent(struct task *t, uint64_t header)
{
    unsigned flags = header_flags(header);
    const struct slot *from = slot_at(t, header_send(header));
    if (flags & SYS_MOVE && flags & SYS_LEND)
        return E_INVAL;
    if (!header_send(header))
        return OK;
    status_t status = slot_check_send(from, flags & SYS_MOVE);
    return status == OK && flags & SYS_LEND && from->type == SLOT_ENDPOINT ? E_INVAL : status;
}

status_t ipc_call(struct task *t)
{
    status_t status;
    uint64_t header = t->regs.rax;
    struct slot *target = portal_slot(t, header_target(header), SLOT_CALL, &status);
    if (status == OK)
        status = slot_check_empty(t, header_receive(header));
    if (status == OK)
        status = check_sent(t, header);
    if (status == OK)
        status = portal_enter(target->portal);
    if (status != OK)
        return status;
    t->header = header;
    t->receive = (uint16_t)header_receive(header);
    send(t, target->portal);
    return OWN_RESULT;
}

// Answers the caller in the reply slot `s` with t's words and capability; nothing changed on
// failure.
static status_t reply(struct task *t, struct slot *s, uint64_t header)
{
    struct task *caller = s->caller;
    struct delivery d = {.kind = MESSAGE_CALL};
    if (caller->special & SPECIAL_EXIT)
        return E_STATE;
    if (caller->special & SPECIAL_FORWARDED && (status_t)t->regs.w[0] != OK) {
        s->type = SLOT_EMPTY;
        task_wake_error(caller, (status_t)t->regs.w[0]);
        return OK;
    }
    if (header_send(header)) {
        bool move = header_flags(header) & SYS_MOVE;
        struct slot *from = slot_at(t, header_send(header));
        struct slot *to = slot_at(caller, caller->receive);
        status_t status = slot_check_send(from, move);
        if (status == OK && !to)
            status = E_NOSLOT;
        if (status == OK && move)
            task_slot_empties(t, from);
        if (status == OK)
            status = slot_transfer(from, to, move, header_flags(header) >> 4);
        if (status != OK)
            return status;
        d.flags = RESULT_CAP;
        task_slot_fills(caller, to);
    }
    if (!(caller->special & SPECIAL_EXCEPTION))
        deliver(caller, &d, t->regs.w);
    caller->special &= ~(SPECIAL_EXCEPTION | SPECIAL_FORWARDED | SPECIAL_ASKED | SPECIAL_RETURNED);
    task_end_loan(caller);
    s->type = SLOT_EMPTY;
    sched_return(caller);
    return OK;
}

// Whether the reply slot is as the flags say: a caller to answer, or empty for the next one.
static status_t reply_check(struct task *t, uint64_t header)
{
    const struct slot *s = slot_at(t, header_reply(header));
    if (!(header_flags(header) & SYS_REPLY))
        return !s ? E_SLOT : s->type == SLOT_EMPTY ? OK : E_OCCUPIED;
    if (!s || s->type != SLOT_REPLY)
        return E_SLOT;
    return header_send(header) == header_reply(header) ? E_INVAL : OK;
}

// The endpoint that `t` may receive on, if its slots are as a receive needs them.
static status_t receive_check(struct task *t, uint64_t header, struct endpoint **e)
{
    struct slot *target = slot_of_type(t, header_target(header), SLOT_ENDPOINT);
    bool replies = header_flags(header) & SYS_REPLY;
    if (!target)
        return E_SLOT;
    if (header_receive(header) == header_reply(header) ||
        (replies && header_send(header) == header_target(header)))
        return E_INVAL;
    *e = target->endpoint;
    return slot_check_empty(t, header_receive(header));
}

// Keeps what a message that comes later, and the fast path in arch, need to know.
static void receive_remember(struct task *t, struct endpoint *e, uint64_t header)
{
    const uint64_t sent = sys_header(0, 0, SLOT_MAX, 0, 0, SYS_MOVE);
    bool is_plain = !(header_flags(header) & ~(SYS_MOVE | SYS_REPLY));
    t->endpoint = e;
    t->reply_into = slot_at(t, header_reply(header));
    t->receive_into = slot_at(t, header_receive(header));
    t->loop_header = is_plain ? (header & ~sent) | SYS_REPLY : 0; // the next one replies
    t->loop_after = 0;
}

status_t ipc_reply_recv(struct task *t)
{
    uint64_t header = t->regs.rax;
    bool replies = header_flags(header) & SYS_REPLY;
    bool only_replies = replies && !header_target(header);
    struct endpoint *e;
    status_t status = reply_check(t, header);
    if (status == OK && !only_replies)
        status = receive_check(t, header, &e);
    if (status == OK && replies)
        status = reply(t, slot_at(t, header_reply(header)), header);
    if (status != OK)
        return status;
    t->effective = t->priority; // what it served, it has answered or keeps for later
    if (only_replies) {
        t->cpu->payer = t;
        return OK;
    }
    receive_remember(t, e, header);
    status = take(e, t);
    if (status == E_BUSY && !(header_flags(header) & SYS_POLL)) {
        t->state = TASK_RECEIVING;
        endpoint_add_receiver(e, t, false);
        return OWN_RESULT;
    }
    endpoint_settle(e);
    return status == OK ? OWN_RESULT : status;
}

status_t ipc_wait(struct task *t)
{
    struct slot *target = slot_of_type(t, header_target(t->regs.rax), SLOT_ENDPOINT);
    if (!target)
        return E_SLOT;
    struct endpoint *e = target->endpoint;
    if (e->is_notified) {
        take_notification(e, t);
        endpoint_settle(e);
    } else if (header_flags(t->regs.rax) & SYS_POLL) {
        return E_BUSY;
    } else {
        t->state = TASK_WAITING;
        endpoint_add_waiter(e, t);
    }
    return OWN_RESULT;
}

status_t ipc_notify(struct task *t)
{
    status_t status;
    struct slot *target = portal_slot(t, header_target(t->regs.rax), SLOT_NOTIFY, &status);
    if (status != OK)
        return status;
    struct portal *p = target->portal;
    status = portal_status(p);
    if (status == OK)
        endpoint_notify(p->endpoint, p->badge);
    return status;
}

status_t ipc_forward(struct task *t)
{
    status_t status;
    uint64_t header = t->regs.rax;
    struct slot *from = slot_of_type(t, header_reply(header), SLOT_REPLY);
    struct slot *target = portal_slot(t, header_target(header), SLOT_CALL, &status);
    if (!from)
        status = E_SLOT;
    if (status == OK && from->caller->special & SPECIAL_EXCEPTION &&
        target->portal->endpoint == machine_endpoint)
        status = E_INVAL; // it is not whose portal that is
    if (status == OK)
        status = portal_enter(target->portal);
    if (status != OK)
        return status;
    struct task *caller = from->caller;
    *from = (struct slot){.type = SLOT_EMPTY};
    // The capability it sent went to the first server already.
    caller->header = 0;
    if (caller->special & SPECIAL_EXCEPTION)
        caller->special |= SPECIAL_FORWARDED;
    for (unsigned i = 0; i < MESSAGE_WORDS && !(caller->special & SPECIAL_EVENT); i++)
        caller->regs.w[i] = t->regs.w[i];
    send(caller, target->portal);
    return OK;
}

void ipc_event(struct task *t)
{
    struct slot *pager = &t->slots[0];
    bool is_page_fault = t->special & SPECIAL_EXCEPTION && t->regs.vector == VECTOR_PAGE_FAULT;
    t->header = 0;
    t->receive = 0;
    if (is_page_fault && t->pager && !(t->special & SPECIAL_RETURNED) &&
        portal_enter(t->pager) == OK) {
        t->special |= SPECIAL_FORWARDED | SPECIAL_ASKED;
        send(t, t->pager);
        return;
    }
    if (pager->type != SLOT_PORTAL || portal_enter(pager->portal) != OK) {
        t->state = TASK_STOPPED;
        return;
    }
    send(t, pager->portal);
}

// SPDX-License-Identifier: MIT
#include "test/unit/fake/kernel/check.h"

#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

// What the walk found, by frame index (and place).
static struct {
    uint32_t portal_refs[FAKE_FRAMES][PORTALS_PER_FRAME];
    uint32_t portal_callers[FAKE_FRAMES][PORTALS_PER_FRAME];        // not yet found from the portal
    struct endpoint *portal_linked[FAKE_FRAMES][PORTALS_PER_FRAME]; // in whose reports
    uint32_t endpoint_refs[FAKE_FRAMES];
    uint32_t endpoint_portals[FAKE_FRAMES];
    bool endpoint_linked[FAKE_FRAMES];
    unsigned task_queues[FAKE_FRAMES]; // in how many queues it is
    unsigned slots_owners[FAKE_FRAMES];
} seen;

static char wrong[200];

static const char *complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(wrong, sizeof wrong, format, args);
    va_end(args);
    return wrong;
}

#define REQUIRE(condition, ...)           \
    do {                                  \
        if (!(condition))                 \
            return complain(__VA_ARGS__); \
    } while (0)

#define TRY(expression)                         \
    do {                                        \
        const char *problem_found = expression; \
        if (problem_found)                      \
            return problem_found;               \
    } while (0)

void *check_object(uint64_t index, enum object_kind kind)
{
    if (index >= FAKE_FRAMES || !fake.is_mapped[index])
        return NULL;
    struct object *o = fake_frame(index);
    return o->kind == kind ? o : NULL;
}

struct slot *check_slot(struct task *t, unsigned number)
{
    if (number < TASK_SLOTS_FIRST)
        return &t->slots[number];
    number -= TASK_SLOTS_FIRST;
    if (number / SLOTS_PER_FRAME >= t->n_slot_frames)
        return NULL;
    return &t->slot_frames[number / SLOTS_PER_FRAME]->slot[number % SLOTS_PER_FRAME];
}

// The window index of the frame that a pointer points into, or FAKE_FRAMES.
static uint64_t index_of(const void *pointer)
{
    uintptr_t offset = (uintptr_t)pointer - (uintptr_t)fake_frame(0);
    return offset < FAKE_FRAMES * PAGE_SIZE ? offset / PAGE_SIZE : FAKE_FRAMES;
}

// Whether `p` is a place of an existing frame of portals; its coordinates.
static bool find_portal(const struct portal *p, uint64_t *index, unsigned *place)
{
    *index = index_of(p);
    struct portals *frame = check_object(*index, OBJECT_PORTALS);
    if (!frame)
        return false;
    size_t offset = (size_t)((const char *)p - (const char *)frame->place);
    *place = (unsigned)(offset / sizeof(struct portal));
    return offset % sizeof(struct portal) == 0 && *place < PORTALS_PER_FRAME;
}

static const char *count_portal(const struct portal *p, const char *what, uint64_t owner)
{
    uint64_t index;
    unsigned place;
    REQUIRE(find_portal(p, &index, &place), "%s of task %lu: no portal", what, owner);
    seen.portal_refs[index][place]++;
    return NULL;
}

static const char *count_slot(struct task *t, struct slot *s, unsigned number)
{
    uint32_t self = t->object.index;
    struct endpoint *e;
    switch (s->type) {
    case SLOT_PORTAL:
        REQUIRE(number || !(s->flags & (SLOT_CALL | SLOT_NOTIFY)), "task %u: a pager by name",
                self);
        return count_portal(s->portal, "slot", self);
    case SLOT_ENDPOINT:
        e = check_object(index_of(s->endpoint), OBJECT_ENDPOINT);
        REQUIRE(e && e == s->endpoint && !(s->flags & (SLOT_CALL | SLOT_NOTIFY)),
                "task %u slot %u: no endpoint", self, number);
        seen.endpoint_refs[e->object.index]++;
        return NULL;
    case SLOT_REPLY:
        REQUIRE(s->caller == check_object(index_of(s->caller), OBJECT_TASK),
                "task %u slot %u: the caller is no task", self, number);
        REQUIRE(s->caller->state == TASK_ANSWER && s->caller->reply_slot == s,
                "task %u slot %u: its caller %u knows nothing of it", self, number,
                s->caller->object.index);
        REQUIRE(!(s->flags & ~SLOT_MOVE), "task %u slot %u: a reply with more than move", self,
                number);
        return NULL;
    default:
        REQUIRE(s->type <= SLOT_MACHINE, "task %u slot %u: type %u", self, number, s->type);
        REQUIRE(!(s->flags & (SLOT_CALL | SLOT_NOTIFY)), "task %u slot %u: callable, but no portal",
                self, number);
        return NULL;
    }
}

// One queue: every node is linked both ways. `visit` judges each.
typedef const char *visit_t(struct list *node, void *context);

static const char *walk(struct list *head, const char *name, visit_t *visit, void *context)
{
    unsigned length = 0;
    for (struct list *node = head->next; node != head; node = node->next) {
        REQUIRE(node->next->prev == node && node->prev->next == node, "%s: broken links", name);
        REQUIRE(length++ < 10000, "%s: it never ends", name);
        TRY(visit(node, context));
    }
    REQUIRE(head->next->prev == head && head->prev->next == head, "%s: broken head", name);
    return NULL;
}

// Which queue a task is found in, and what it then must be.
struct expected {
    enum task_state state;
    struct endpoint *endpoint;
    int effective; // -1: any
};

static const char *visit_task(struct list *node, void *context)
{
    const struct expected *x = context;
    struct task *t = task_of_link(node);
    REQUIRE(t == check_object(index_of(t), OBJECT_TASK), "a queue holds no task");
    uint32_t self = t->object.index;
    REQUIRE(t->state == x->state, "task %u: state %u in a queue of state %u", self, t->state,
            x->state);
    REQUIRE(!t->via || !t->via->endpoint || t->via->endpoint == x->endpoint,
            "task %u: queued elsewhere than its portal leads", self);
    REQUIRE(x->effective < 0 || t->effective == x->effective, "task %u: in queue %d, effective %u",
            self, x->effective, t->effective);
    seen.task_queues[self]++;
    return NULL;
}

static const char *visit_report(struct list *node, void *context)
{
    struct endpoint *e = context;
    uint64_t index = index_of(node);
    struct endpoint *unused = check_object(index, OBJECT_ENDPOINT);
    if (unused) {
        REQUIRE(e == machine_endpoint && node == &unused->link, "endpoint %lu: misplaced", index);
        seen.endpoint_linked[index] = true;
        return NULL;
    }
    unsigned place;
    REQUIRE(find_portal(container_of(node, struct portal, link), &index, &place),
            "reports of endpoint %u: no portal", e->object.index);
    seen.portal_linked[index][place] = e;
    return NULL;
}

static const char *count_task(struct task *t)
{
    struct slot *s;
    for (unsigned n = 0; (s = check_slot(t, n)); n++)
        TRY(count_slot(t, s, n));
    for (unsigned i = 0; i < t->n_slot_frames; i++) {
        uint64_t index = index_of(t->slot_frames[i]);
        REQUIRE(check_object(index, OBJECT_SLOTS), "task %u: no frame of slots", t->object.index);
        seen.slots_owners[index]++;
    }
    if (t->pager)
        TRY(count_portal(t->pager, "own pager", t->object.index));
    if (!t->via)
        return NULL;
    TRY(count_portal(t->via, "queued call", t->object.index));
    uint64_t index;
    unsigned place;
    if (find_portal(t->via, &index, &place))
        seen.portal_callers[index][place]++;
    return NULL;
}

static const char *count_endpoint(struct endpoint *e)
{
    TRY(walk(&e->senders, "senders", visit_task, &(struct expected){TASK_SENDING, e, -1}));
    TRY(walk(&e->receivers, "receivers", visit_task, &(struct expected){TASK_RECEIVING, e, -1}));
    if (e->standing > STANDING_CROWDED)
        TRY(visit_task(&e->receiver->link, &(struct expected){TASK_RECEIVING, e, -1}));
    TRY(walk(&e->waiters, "waiters", visit_task, &(struct expected){TASK_WAITING, e, -1}));
    return walk(&e->reports, "reports", visit_report, e);
}

static const char *count_portals(struct portals *frame)
{
    for (unsigned i = 0; i < PORTALS_PER_FRAME; i++) {
        struct endpoint *e = frame->place[i].endpoint;
        REQUIRE(!e || e == check_object(index_of(e), OBJECT_ENDPOINT), "portal %u/%u: no endpoint",
                frame->object.index, i);
        if (e)
            seen.endpoint_portals[e->object.index]++;
    }
    return NULL;
}

static const char *count_frame(uint64_t index)
{
    struct object *o = fake_frame(index);
    REQUIRE(o->kind == OBJECT_NONE || o->index == index, "frame %lu says %u", index, o->index);
    switch (o->kind) {
    case OBJECT_TASK:
        return count_task((struct task *)o);
    case OBJECT_ENDPOINT:
        return count_endpoint((struct endpoint *)o);
    case OBJECT_PORTALS:
        return count_portals((struct portals *)o);
    default:
        REQUIRE(o->kind <= OBJECT_SLOTS, "frame %lu: kind %u", index, o->kind);
        return NULL;
    }
}

static const char *judge_blocked(struct task *t)
{
    uint32_t self = t->object.index;
    bool is_called = t->state == TASK_SENDING || t->state == TASK_ANSWER;
    const struct slot *receive = t->state == TASK_RECEIVING ? t->receive_into
                                 : is_called && t->receive  ? check_slot(t, t->receive)
                                                            : NULL;
    REQUIRE(!receive || receive->type == SLOT_EMPTY, "task %u: waits with its receive slot full",
            self);
    if (t->state == TASK_RECEIVING)
        REQUIRE(t->reply_into->type == SLOT_EMPTY, "task %u: receives with its reply slot full",
                self);
    REQUIRE(is_called || t->state == TASK_STOPPED || task_message_kind(t) == MESSAGE_CALL,
            "task %u: state %u with an event", self, t->state);
    return NULL;
}

// What the fast path in arch takes for granted when the same REPLY_RECV comes again.
static const char *judge_loop(struct task *t)
{
    uint64_t header = t->loop_header;
    uint32_t self = t->object.index;
    slot_t receive = header_receive(header);
    if (!header)
        return NULL;
    const struct slot *target = check_slot(t, header_target(header));
    REQUIRE(header_number(header) == SYS_REPLY_RECV && header_flags(header) == SYS_REPLY &&
                !header_send(header),
            "task %u: remembers what is not plain", self);
    REQUIRE(t->reply_into == check_slot(t, header_reply(header)),
            "task %u: the fast path would answer another caller than it names", self);
    REQUIRE(target->type == SLOT_ENDPOINT && target->endpoint == t->endpoint,
            "task %u: the fast path would receive where it may not", self);
    REQUIRE(t->receive_into == (receive ? check_slot(t, receive) : NULL) &&
                (!receive || t->receive_into->type == SLOT_EMPTY),
            "task %u: the fast path would receive into a full slot", self);
    return NULL;
}

static const char *judge_task(struct cpu *cpu, struct task *t)
{
    uint32_t self = t->object.index;
    bool is_queued = t->state == TASK_SENDING || t->state == TASK_RECEIVING ||
                     t->state == TASK_WAITING || (t->state == TASK_READY && t != cpu->current);
    REQUIRE(t->state <= TASK_STOPPED, "task %u: state %u", self, t->state);
    REQUIRE(seen.task_queues[self] == is_queued, "task %u: state %u in %u queues", self, t->state,
            seen.task_queues[self]);
    bool is_alone = t->state == TASK_RECEIVING && t->endpoint->receiver == t;
    REQUIRE((is_queued && !is_alone) == list_is_linked(&t->link), "task %u: linked, in no queue",
            self);
    REQUIRE(!is_alone || !t->special, "task %u: special, but waits alone", self);
    REQUIRE(!t->via == (t->state != TASK_SENDING), "task %u: state %u, via", self, t->state);
    REQUIRE(t->state != TASK_ANSWER ||
                (t->reply_slot->type == SLOT_REPLY && t->reply_slot->caller == t),
            "task %u: its reply slot is no reply to it", self);
    REQUIRE(!t->lent == !(t->special & SPECIAL_LOAN), "task %u: loan not marked", self);
    REQUIRE(!t->lent || (t->state == TASK_ANSWER || t->state == TASK_SENDING),
            "task %u: state %u with a loan", self, t->state);
    REQUIRE(!t->lent || (t->lent->lender == self && t->lent->type != SLOT_EMPTY),
            "task %u: its loan is not there", self);
    REQUIRE(!(t->special & SPECIAL_ASKED) ||
                ((t->special & SPECIAL_FORWARDED) && !(t->special & SPECIAL_RETURNED)),
            "task %u: its own pager is asked, but not handed the fault", self);
    TRY(judge_loop(t));
    REQUIRE(t->effective >= t->priority, "task %u: below its own priority", self);
    REQUIRE(!t->n_swept || t->state == TASK_STOPPED, "task %u: half destroyed but alive", self);
    return judge_blocked(t);
}

static const char *judge_endpoint(struct endpoint *e)
{
    uint32_t self = e->object.index;
    REQUIRE(e->refs == seen.endpoint_refs[self], "endpoint %u: %u refs, %u counted", self, e->refs,
            seen.endpoint_refs[self]);
    REQUIRE(e->n_portals == seen.endpoint_portals[self], "endpoint %u: %u portals, %u counted",
            self, e->n_portals, seen.endpoint_portals[self]);
    REQUIRE(!seen.endpoint_linked[self] || !e->refs, "endpoint %u: unused with receivers", self);
    REQUIRE(seen.endpoint_linked[self] || !list_is_linked(&e->link), "endpoint %u: stray link",
            self);
    REQUIRE(e->is_notified || !e->word, "endpoint %u: a word without notification", self);
    bool is_queue = !list_is_empty(&e->receivers), is_alone = e->standing > STANDING_CROWDED;
    bool is_received = is_queue || is_alone, is_awaited = !list_is_empty(&e->waiters);
    REQUIRE(!(is_received || is_awaited) || e->refs, "endpoint %u: who receives?", self);
    REQUIRE(!is_received || (list_is_empty(&e->senders) && list_is_empty(&e->reports)),
            "endpoint %u: a receiver waits beside a message", self);
    REQUIRE(!(is_received || is_awaited) || !e->is_notified,
            "endpoint %u: somebody waits beside a notification", self);
    REQUIRE(!is_alone || !(is_queue || is_awaited), "endpoint %u: not alone", self);
    REQUIRE(is_alone || !(is_queue || is_awaited) || e->standing == STANDING_CROWDED,
            "endpoint %u: a crowd that the fast path does not see", self);
    bool is_pending = e->is_notified || !list_is_empty(&e->senders) || !list_is_empty(&e->reports);
    REQUIRE(!is_pending || e->standing == STANDING_PENDING || e->standing == STANDING_CROWDED,
            "endpoint %u: something pending that the fast path does not see", self);
    return NULL;
}

// Who is queued through a portal, which knows of it.
static const char *visit_caller(struct list *node, void *context)
{
    struct portal *p = context;
    struct task *t = container_of(node, struct task, via_link);
    uint64_t index;
    unsigned place;
    REQUIRE(t == check_object(index_of(t), OBJECT_TASK) && t->via == p &&
                t->state == TASK_SENDING && find_portal(p, &index, &place),
            "a portal has a caller that is none");
    seen.portal_callers[index][place]--;
    return NULL;
}

static const char *judge_portal(struct portal *p, uint64_t index, unsigned place,
                                uint32_t *n_unknown, uint32_t *n_used)
{
    uint32_t counted = seen.portal_refs[index][place];
    struct endpoint *linked = seen.portal_linked[index][place];
    REQUIRE(p->refs >= counted, "portal %lu/%u: %u refs, %u counted", index, place, p->refs,
            counted);
    *n_unknown += p->refs - counted;
    *n_used += p->endpoint || p->refs || linked;
    REQUIRE(linked || p->refs || !list_is_linked(&p->link), "portal %lu/%u: stray link", index,
            place);
    if (p->refs && list_is_linked(&p->link))
        TRY(walk(&p->link, "callers", visit_caller, p));
    REQUIRE(!seen.portal_callers[index][place], "portal %lu/%u: does not know all of its callers",
            index, place);
    REQUIRE(!(p->refs && linked), "portal %lu/%u: reported with references", index, place);
    REQUIRE(p->refs || !p->endpoint || linked == p->endpoint, "portal %lu/%u: unreported", index,
            place);
    REQUIRE(!linked || p->endpoint || linked == machine_endpoint, "portal %lu/%u: told another",
            index, place);
    REQUIRE(!linked || p->report == (p->endpoint ? MESSAGE_LAST_REFERENCE : MESSAGE_PORTAL_UNUSED),
            "portal %lu/%u: report %u", index, place, p->report);
    return NULL;
}

static const char *judge_portals(struct portals *frame, uint32_t *n_unknown)
{
    uint32_t n_used = 0;
    for (unsigned i = 0; i < PORTALS_PER_FRAME; i++)
        TRY(judge_portal(&frame->place[i], frame->object.index, i, n_unknown, &n_used));
    REQUIRE(frame->n_used == n_used, "portals %u: %u used, %u counted", frame->object.index,
            frame->n_used, n_used);
    return NULL;
}

static const char *check_cpu(struct cpu *cpu)
{
    for (int p = 0; p < (int)PRIORITIES; p++) {
        TRY(walk(&cpu->ready[p], "ready", visit_task, &(struct expected){TASK_READY, NULL, p}));
        REQUIRE(list_is_empty(&cpu->ready[p]) || (cpu->ready_mask & 1u << p && cpu->top >= p),
                "ready mask or top: %d is missing", p);
    }
    REQUIRE(!cpu->direct, "somebody is still to be switched to");
    REQUIRE(!cpu->current || (cpu->current == check_object(index_of(cpu->current), OBJECT_TASK) &&
                              cpu->current->state == TASK_READY),
            "the current task cannot run");
    REQUIRE(!cpu->payer || cpu->payer == check_object(index_of(cpu->payer), OBJECT_TASK),
            "time is charged to no task");
    REQUIRE(!cpu->current || cpu->payer, "time is charged to nobody");
    return NULL;
}

// Forgets what was seen; of portals, where there may be some now.
static void forget(void)
{
    for (uint64_t i = 0; i < FAKE_FRAMES; i++) {
        if (check_object(i, OBJECT_PORTALS)) {
            memset(seen.portal_refs[i], 0, sizeof seen.portal_refs[i]);
            memset(seen.portal_linked[i], 0, sizeof seen.portal_linked[i]);
            memset(seen.portal_callers[i], 0, sizeof seen.portal_callers[i]);
        }
        seen.endpoint_refs[i] = seen.endpoint_portals[i] = 0;
        seen.task_queues[i] = seen.slots_owners[i] = 0;
        seen.endpoint_linked[i] = false;
    }
}

const char *check_kernel(struct cpu *cpu, bool may_listen)
{
    uint32_t n_unknown = 0;
    forget();
    for (uint64_t i = 0; i < FAKE_FRAMES; i++)
        if (fake.is_mapped[i])
            TRY(count_frame(i));
    TRY(check_cpu(cpu));
    for (uint64_t i = 0; i < FAKE_FRAMES; i++) {
        void *o;
        if ((o = check_object(i, OBJECT_TASK)))
            TRY(judge_task(cpu, o));
        else if ((o = check_object(i, OBJECT_ENDPOINT)))
            TRY(judge_endpoint(o));
        else if ((o = check_object(i, OBJECT_PORTALS)))
            TRY(judge_portals(o, &n_unknown));
        else if ((o = check_object(i, OBJECT_SLOTS)))
            REQUIRE(seen.slots_owners[i] == 1, "slots %lu: %u owners", i, seen.slots_owners[i]);
    }
    REQUIRE(n_unknown <= may_listen, "%u portal references nobody has", n_unknown);
    return NULL;
}

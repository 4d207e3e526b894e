// SPDX-License-Identifier: MIT
// What tests build in a world, and what they say of it.
#include "ipc/status.h"
#include "kernel/task.h"
#include "test/unit/fake/kernel/check.h"
#include "test/unit/fake/kernel/world.h"

static void give(struct task *t, slot_t slot)
{
    if (t == world.vmm)
        return;
    assert_status(MACHINE(SLOT_GIVE, .send = VMM_SPARE, .w = {t->object.index, slot}), OK);
}

// Where a capability for `t` is made: in the slot itself if it is the VMM's.
static slot_t spare(const struct task *t, slot_t slot)
{
    return t == world.vmm ? slot : VMM_SPARE;
}

struct task *make_task(unsigned priority)
{
    uint64_t index = world.next_index++;
    assert_true(index < UNMAPPED_INDEX);
    const uint64_t word0 = index | (uint64_t)priority << START_PRIORITY_SHIFT;
    assert_status(
        MACHINE(TASK_START, .flags = SYS_HOLD, .w = {word0, index + 1, 0, TASK_RIP, 0x8000}), OK);
    return fake_frame(index);
}

void start_task(struct task *t)
{
    assert_status(MACHINE(TASK_RESUME, .w = {t->object.index}), OK);
}

struct endpoint *make_endpoint(struct task *owner, slot_t slot)
{
    uint64_t index = world.next_index++;
    assert_true(index < UNMAPPED_INDEX);
    assert_status(MACHINE(OBJECT_CREATE, .w = {index, OBJECT_ENDPOINT, spare(owner, slot)}), OK);
    give(owner, slot);
    return fake_frame(index);
}

void mint_portal(uint64_t number, struct task *holder, slot_t slot, struct endpoint *e,
                 uint64_t badge, uint32_t flags)
{
    assert_status(
        MACHINE(PORTAL_MINT, .w = {number, e->object.index, badge, spare(holder, slot), flags}),
        OK);
    give(holder, slot);
}

uint64_t make_portal(struct task *holder, slot_t slot, struct endpoint *e, uint64_t badge)
{
    uint64_t number = world.next_portal++;
    mint_portal(number, holder, slot, e, badge, SLOT_ALL);
    return number;
}

struct portal *portal_at(uint64_t number)
{
    struct portals *frame = check_object(number / PORTALS_PER_FRAME, OBJECT_PORTALS);
    assert_non_null(frame);
    return &frame->place[number % PORTALS_PER_FRAME];
}

void make_pager(struct task *t, uint64_t badge)
{
    make_portal(t, 0, machine_endpoint, badge);
}

struct service make_service(void)
{
    struct service s = {.server = make_task(PRIORITY_DEFAULT)};
    s.endpoint = make_endpoint(s.server, SERVER_ENDPOINT);
    for (unsigned i = 0; i < CLIENTS; i++) {
        s.client[i] = make_task(PRIORITY_DEFAULT);
        s.portal[i] = make_portal(s.client[i], CLIENT_PORTAL, s.endpoint, BADGE(i));
    }
    start_task(s.server);
    for (unsigned i = 0; i < CLIENTS; i++)
        start_task(s.client[i]);
    return s;
}

status_t receive(struct task *server)
{
    return SYS(server, REPLY_RECV, .target = SERVER_ENDPOINT, .receive = RECEIVE_SLOT,
               .reply = REPLY_SLOT);
}

status_t receive_poll(struct task *server)
{
    return SYS(server, REPLY_RECV, .target = SERVER_ENDPOINT, .receive = RECEIVE_SLOT,
               .reply = REPLY_SLOT, .flags = SYS_POLL);
}

status_t answer_poll(struct task *server, slot_t send)
{
    return SYS(server, REPLY_RECV, .target = SERVER_ENDPOINT, .send = send, .reply = REPLY_SLOT,
               .flags = SYS_POLL | SYS_REPLY, .w = {0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6});
}

status_t machine_poll(void)
{
    return SYS(world.vmm, REPLY_RECV, .target = SLOT_PARENT, .receive = RECEIVE_SLOT,
               .reply = REPLY_SLOT, .flags = SYS_POLL);
}

status_t destroy_step(const void *object)
{
    const struct object *o = object;
    return MACHINE(OBJECT_DESTROY, .w = {o->index});
}

void destroy(const void *object)
{
    status_t status;
    do {
        status = destroy_step(object);
    } while (status == E_MORE);
    assert_status(status, OK);
}

void revoke(uint64_t portal)
{
    uint64_t place = portal % PORTALS_PER_FRAME;
    status_t status;
    do {
        status =
            MACHINE(PORTAL_REVOKE, .w = {portal / PORTALS_PER_FRAME, place < 64 ? 1ull << place : 0,
                                         place < 64 ? 0 : 1ull << (place - 64)});
    } while (status == E_MORE);
    assert_status(status, OK);
}

void assert_status_at(status_t got, status_t want, const char *file, int line)
{
    if (got == want)
        return;
    print_error("%s:%d: %s (%d), expected %s (%d)\n", file, line, status_name(got), got,
                status_name(want), want);
    _fail(file, line);
}

void assert_message_at(const struct task *t, enum message_kind kind, uint64_t badge, uint64_t w0,
                       uint64_t flags, const char *file, int line)
{
    const struct registers *r = &t->regs;
    uint64_t rax = (uint64_t)kind << RESULT_KIND_SHIFT | flags;
    if (t->state == TASK_READY && r->rax == rax && r->rbx == badge && r->w[0] == w0)
        return;
    print_error("%s:%d: state %u, result 0x%lx (expected 0x%lx), badge 0x%lx (0x%lx), "
                "word 0x%lx (0x%lx)\n",
                file, line, t->state, r->rax, rax, r->rbx, badge, r->w[0], w0);
    _fail(file, line);
}

struct slot *slot_of(struct task *t, slot_t number)
{
    struct slot *s = check_slot(t, number);
    assert_non_null(s);
    return s;
}

// SPDX-License-Identifier: MIT
#include "test/unit/fake/kernel/town.h"

#include "kernel/sched.h"
#include "kernel/task.h"
#include "test/unit/fake/kernel/check.h"

#include <string.h>

struct town town;

// Slots that the town uses; the rest stays empty. Those of a state are below TOWN_SLOTS.
#define OWN_ENDPOINT 2u
#define TO_BACK      3u
#define TO_FRONT     4u
#define BALLAST      14u
#define MINTED       20u
#define TOWN_SLOTS   22u

// clang-format off
#define SYSTEM(task, number, ...) TOWN_##task, ENTRY_SYSCALL, SYS_##number, {__VA_ARGS__}
// clang-format on
#define RECEIVE(endpoint, how) \
    .target = (endpoint), .receive = RECEIVE_SLOT, .reply = REPLY_SLOT, .flags = (how)
#define ANSWER(endpoint, cargo, how)                            \
    .target = (endpoint), .send = (cargo), .reply = REPLY_SLOT, \
    .flags = SYS_REPLY | SYS_POLL | (how)

// Objects are named by index only once the town stands: town_build() fills these words in.
enum { OBJECT_CLIENT, OBJECT_MIDDLE, OBJECT_SERVER, OBJECT_BACK, OBJECT_FRONT };
enum { PORTAL_CLIENT_BACK, PORTAL_CLIENT_FRONT, PORTAL_MIDDLE_BACK, PORTAL_SERVER_FRONT };

struct action town_action[] = {
    {"client calls back", SYSTEM(CLIENT, CALL, .target = TO_BACK, .receive = 12)},
    {"client calls front", SYSTEM(CLIENT, CALL, .target = TO_FRONT)},
    {"client copies to back", SYSTEM(CLIENT, CALL, .target = TO_BACK, .send = TO_FRONT)},
    {"client brings home",
     SYSTEM(CLIENT, CALL, .target = TO_BACK, .send = TO_BACK, .flags = SYS_MOVE)},
    {"client moves to front",
     SYSTEM(CLIENT, CALL, .target = TO_FRONT, .send = TO_BACK, .flags = SYS_MOVE)},
    {"client notifies back", SYSTEM(CLIENT, NOTIFY, .target = TO_BACK)},
    {"client drops back", SYSTEM(CLIENT, DROP, .target = TO_BACK)},
    {"client drops what came", SYSTEM(CLIENT, DROP, .target = 12)},
    {"client lends to back",
     SYSTEM(CLIENT, CALL, .target = TO_BACK, .send = TO_FRONT, .flags = SYS_LEND)},
    {"client lends a way home",
     SYSTEM(CLIENT, CALL, .target = TO_FRONT, .send = TO_BACK, .receive = 12, .flags = SYS_LEND)},
    {"client faults", TOWN_CLIENT, ENTRY_FAULT, 0, {0}},
    {"client exits", SYSTEM(CLIENT, EXIT)},
    {"middle receives", SYSTEM(MIDDLE, REPLY_RECV, RECEIVE(OWN_ENDPOINT, 0))},
    {"middle answers", SYSTEM(MIDDLE, REPLY_RECV, ANSWER(OWN_ENDPOINT, 0, 0))},
    {"middle answers and receives", SYSTEM(MIDDLE, REPLY_RECV, RECEIVE(OWN_ENDPOINT, SYS_REPLY))},
    {"middle answers with a move",
     SYSTEM(MIDDLE, REPLY_RECV, ANSWER(OWN_ENDPOINT, TO_BACK, SYS_MOVE))},
    {"middle gives and receives",
     SYSTEM(MIDDLE, REPLY_RECV, .target = OWN_ENDPOINT, .send = TO_BACK, .receive = RECEIVE_SLOT,
            .reply = REPLY_SLOT, .flags = SYS_REPLY | SYS_MOVE)},
    {"middle calls back", SYSTEM(MIDDLE, CALL, .target = TO_BACK, .receive = 12)},
    {"middle lends what came",
     SYSTEM(MIDDLE, CALL, .target = TO_BACK, .send = RECEIVE_SLOT, .flags = SYS_LEND)},
    {"middle sends the reply back",
     SYSTEM(MIDDLE, CALL, .target = TO_BACK, .send = REPLY_SLOT, .flags = SYS_MOVE)},
    {"middle copies the reply back", SYSTEM(MIDDLE, CALL, .target = TO_BACK, .send = REPLY_SLOT)},
    {"middle forwards", SYSTEM(MIDDLE, FORWARD, .target = TO_BACK, .reply = REPLY_SLOT)},
    {"middle drops the reply", SYSTEM(MIDDLE, DROP, .target = REPLY_SLOT)},
    {"middle drops its endpoint", SYSTEM(MIDDLE, DROP, .target = OWN_ENDPOINT)},
    {"middle drops back", SYSTEM(MIDDLE, DROP, .target = TO_BACK)},
    {"middle drops what came", SYSTEM(MIDDLE, DROP, .target = RECEIVE_SLOT)},
    {"server receives", SYSTEM(SERVER, REPLY_RECV, RECEIVE(OWN_ENDPOINT, 0))},
    {"server waits", SYSTEM(SERVER, WAIT, .target = OWN_ENDPOINT)},
    {"server answers", SYSTEM(SERVER, REPLY_RECV, ANSWER(OWN_ENDPOINT, 0, 0))},
    {"server answers and receives", SYSTEM(SERVER, REPLY_RECV, RECEIVE(OWN_ENDPOINT, SYS_REPLY))},
    {"server only answers", SYSTEM(SERVER, REPLY_RECV, ANSWER(0, TO_FRONT, 0))},
    {"server answers with a copy", SYSTEM(SERVER, REPLY_RECV, ANSWER(OWN_ENDPOINT, TO_FRONT, 0))},
    {"server gives and receives",
     SYSTEM(SERVER, REPLY_RECV, .target = OWN_ENDPOINT, .send = TO_FRONT, .receive = RECEIVE_SLOT,
            .reply = REPLY_SLOT, .flags = SYS_REPLY)},
    {"server answers through what came",
     SYSTEM(SERVER, REPLY_RECV, .target = OWN_ENDPOINT, .reply = RECEIVE_SLOT,
            .flags = SYS_REPLY | SYS_POLL)},
    {"server forwards", SYSTEM(SERVER, FORWARD, .target = TO_FRONT, .reply = REPLY_SLOT)},
    {"server drops the reply", SYSTEM(SERVER, DROP, .target = REPLY_SLOT)},
    {"server drops its endpoint", SYSTEM(SERVER, DROP, .target = OWN_ENDPOINT)},
    {"server drops front", SYSTEM(SERVER, DROP, .target = TO_FRONT)},
    {"server drops what came", SYSTEM(SERVER, DROP, .target = RECEIVE_SLOT)},
    {"server exits", SYSTEM(SERVER, EXIT)},
    {"vmm receives", SYSTEM(VMM, REPLY_RECV, RECEIVE(SLOT_PARENT, 0))},
    {"vmm polls", SYSTEM(VMM, REPLY_RECV, RECEIVE(SLOT_PARENT, SYS_POLL))},
    {"vmm answers", SYSTEM(VMM, REPLY_RECV, ANSWER(SLOT_PARENT, 0, 0))},
    {"vmm drops the reply", SYSTEM(VMM, DROP, .target = REPLY_SLOT)},
    {"vmm drops what it minted", SYSTEM(VMM, DROP, .target = MINTED)},
    {"vmm mints", SYSTEM(VMM, PORTAL_MINT, .target = SLOT_SELF,
                         .w = {PORTAL_CLIENT_BACK, OBJECT_BACK, BADGE(0), MINTED, SLOT_ALL})},
    {"vmm revokes the client's",
     SYSTEM(VMM, PORTAL_REVOKE, .target = SLOT_SELF, .w = {PORTAL_CLIENT_BACK})},
    {"vmm revokes the middle's",
     SYSTEM(VMM, PORTAL_REVOKE, .target = SLOT_SELF, .w = {PORTAL_MIDDLE_BACK})},
    {"vmm revokes the server's",
     SYSTEM(VMM, PORTAL_REVOKE, .target = SLOT_SELF, .w = {PORTAL_SERVER_FRONT})},
    {"vmm sets the client's pager",
     SYSTEM(VMM, TASK_PAGER, .target = SLOT_SELF, .send = MINTED, .w = {OBJECT_CLIENT})},
    {"vmm clears the client's pager",
     SYSTEM(VMM, TASK_PAGER, .target = SLOT_SELF, .w = {OBJECT_CLIENT})},
    {"server refuses",
     SYSTEM(SERVER, REPLY_RECV, .reply = REPLY_SLOT, .flags = SYS_REPLY, .w = {(uint64_t)E_RIGHT})},
    {"vmm stops the client", SYSTEM(VMM, TASK_STOP, .target = SLOT_SELF, .w = {OBJECT_CLIENT})},
    {"vmm resumes the client", SYSTEM(VMM, TASK_RESUME, .target = SLOT_SELF, .w = {OBJECT_CLIENT})},
    {"vmm destroys the client",
     SYSTEM(VMM, OBJECT_DESTROY, .target = SLOT_SELF, .w = {OBJECT_CLIENT})},
    {"vmm destroys the middle",
     SYSTEM(VMM, OBJECT_DESTROY, .target = SLOT_SELF, .w = {OBJECT_MIDDLE})},
    {"vmm destroys the server",
     SYSTEM(VMM, OBJECT_DESTROY, .target = SLOT_SELF, .w = {OBJECT_SERVER})},
    {"vmm destroys back", SYSTEM(VMM, OBJECT_DESTROY, .target = SLOT_SELF, .w = {OBJECT_BACK})},
    {"vmm destroys front", SYSTEM(VMM, OBJECT_DESTROY, .target = SLOT_SELF, .w = {OBJECT_FRONT})},
};

unsigned n_town_actions = sizeof town_action / sizeof *town_action;

// A town is built once: its objects get the same numbers in every world.
static void name_objects(void)
{
    static bool is_named;
    const uint64_t index[] = {
        town.task[TOWN_CLIENT]->object.index,
        town.task[TOWN_MIDDLE]->object.index,
        town.task[TOWN_SERVER]->object.index,
        town.back->object.index,
        town.front->object.index,
    };
    for (unsigned i = 0; i < n_town_actions && !is_named; i++) {
        uint64_t *w = town_action[i].call.w;
        switch (town_action[i].number) {
        case SYS_PORTAL_MINT:
            w[1] = index[w[1]];
            w[0] += world.portals * PORTALS_PER_FRAME;
            break;
        case SYS_PORTAL_REVOKE:
            w[1] = 1ull << w[0];
            w[0] = world.portals;
            break;
        case SYS_TASK_STOP:
        case SYS_TASK_RESUME:
        case SYS_TASK_PAGER:
        case SYS_OBJECT_DESTROY:
            w[0] = index[w[0]];
            break;
        default:
            break;
        }
    }
    is_named = true;
}

static void make_canonical(void);

void town_build(void)
{
    world_start();
    struct task *client = make_task(PRIORITY_DEFAULT), *middle = make_task(PRIORITY_DEFAULT);
    struct task *server = make_task(PRIORITY_DEFAULT);
    town.task[TOWN_CLIENT] = client;
    town.task[TOWN_MIDDLE] = middle;
    town.task[TOWN_SERVER] = server;
    town.task[TOWN_VMM] = world.vmm;
    town.back = make_endpoint(server, OWN_ENDPOINT);
    town.front = make_endpoint(middle, OWN_ENDPOINT);
    make_portal(client, TO_BACK, town.back, BADGE(0)); // in the order of PORTAL_*
    make_portal(client, TO_FRONT, town.front, BADGE(1));
    make_portal(middle, TO_BACK, town.back, BADGE(2));
    make_portal(server, TO_FRONT, town.front, BADGE(3));
    make_pager(client, BADGE(4));
    for (unsigned i = 0; i < KERNEL_WAKE_MAX; i++) // so many that it does not die in one call
        assert_status(slot_transfer(slot_of(client, 0), slot_of(client, BALLAST + i), false, 0),
                      OK);
    make_pager(server, BADGE(5));
    town.n_portals = world.next_portal % PORTALS_PER_FRAME;
    start_task(client);
    start_task(middle);
    start_task(server);
    name_objects();
    make_canonical();
}

// Registers are told apart only where they are a message on its way.
static void clean_task(struct task *t)
{
    uint64_t w[MESSAGE_WORDS];
    bool is_called = t->state == TASK_SENDING || t->state == TASK_ANSWER;
    memcpy(w, t->regs.w, sizeof w);
    t->regs = (struct registers){0};
    if (is_called && !(t->special & SPECIAL_EXCEPTION))
        memcpy(t->regs.w, w, sizeof w);
    if (t->state == TASK_READY)
        t->link = (struct list){0};
    if (t->state != TASK_SENDING)
        t->header = 0;
    if (!is_called)
        t->receive = 0;
    if (t->state != TASK_ANSWER)
        t->reply_slot = NULL;
    if (!(t->special & SPECIAL_EXCEPTION))
        t->fault_address = 0;
    if (!(t->special & SPECIAL_RETURNED))
        t->refusal = 0;
    if (t->state != TASK_RECEIVING && !t->loop_header) {
        t->endpoint = NULL;
        t->reply_into = t->receive_into = NULL;
    }
    t->slice = SLICE_TICKS;
    for (unsigned i = 0; i < TOWN_SLOTS; i++)
        if (t->slots[i].type == SLOT_EMPTY)
            t->slots[i] = (struct slot){0};
}

// What must not make a difference is made equal: who is ready waits in no queue, nothing stale is
// left in registers, slots and places, freed frames are zero.
static void make_canonical(void)
{
    fake_unpoison_all();
    for (unsigned i = 0; i < TOWN_TASKS; i++) {
        struct task *t = town.task[i];
        if (t->object.kind == OBJECT_TASK)
            clean_task(t);
        else
            memset(t, 0, sizeof *t);
    }
    struct endpoint *endpoint[] = {town.back, town.front};
    for (unsigned i = 0; i < 2; i++)
        if (endpoint[i]->object.kind == OBJECT_NONE)
            memset(endpoint[i], 0, sizeof *endpoint[i]);
    struct portals *p = fake_frame(world.portals);
    for (unsigned i = 0; i < town.n_portals; i++)
        if (!list_is_linked(&p->place[i].link))
            p->place[i].report = 0;
}

// Who is ready, the actor apart, waits in the queues.
static void populate_queues(struct task *actor)
{
    struct cpu *cpu = &world.cpu;
    *cpu = (struct cpu){.current = actor, .payer = actor};
    sched_init(cpu);
    for (unsigned i = 0; i < TOWN_TASKS; i++) {
        struct task *t = town.task[i];
        if (t != actor && t->object.kind == OBJECT_TASK && t->state == TASK_READY)
            sched_wake(t);
    }
}

bool town_act(const struct action *a, status_t *status, const char **problem)
{
    struct task *t = town.task[a->actor];
    if (t->object.kind != OBJECT_TASK || t->state != TASK_READY)
        return false;
    populate_queues(t);
    world_load(t, a->number, &a->call);
    if (a->entry == ENTRY_FAULT)
        t->regs.vector = VECTOR_PAGE_FAULT;
    world_enter(a->entry, 0x1000, problem);
    *status = t->state == TASK_READY ? (int32_t)t->regs.rax : BLOCKED;
    make_canonical();
    return true;
}

// The parts of memory in which states differ.
struct part {
    void *start;
    size_t size;
};

#define TOWN_PARTS (2 * TOWN_TASKS + 4)

static void list_parts(struct part *part)
{
    for (unsigned i = 0; i < TOWN_TASKS; i++) {
        struct task *t = town.task[i];
        *part++ = (struct part){t, offsetof(struct task, slots)};
        *part++ = (struct part){t->slots, TOWN_SLOTS * sizeof *t->slots};
    }
    *part++ = (struct part){machine_endpoint, sizeof *machine_endpoint};
    *part++ = (struct part){town.back, sizeof *town.back};
    *part++ = (struct part){town.front, sizeof *town.front};
    struct portals *p = fake_frame(world.portals);
    *part = (struct part){p, offsetof(struct portals, place) + town.n_portals * sizeof *p->place};
}

size_t town_state_size(void)
{
    struct part part[TOWN_PARTS];
    size_t size = 0;
    list_parts(part);
    for (unsigned i = 0; i < TOWN_PARTS; i++)
        size += part[i].size;
    return size;
}

void town_save(unsigned char *state)
{
    struct part part[TOWN_PARTS];
    list_parts(part);
    for (unsigned i = 0; i < TOWN_PARTS; i++) {
        memcpy(state, part[i].start, part[i].size);
        state += part[i].size;
    }
}

void town_restore(const unsigned char *state)
{
    struct part part[TOWN_PARTS];
    fake_unpoison_all();
    list_parts(part);
    for (unsigned i = 0; i < TOWN_PARTS; i++) {
        memcpy(part[i].start, state, part[i].size);
        state += part[i].size;
    }
}

// SPDX-License-Identifier: MIT
// A victim in a clone of this space serves two clients: it has received one and keeps the reply, the
// other waits in the queue. A third task waits for its end. Then it gets into a state, and dies there.
#include "ipc/init_client.h"
#include "test/scenarios/lib/attack.h"

enum {
    DOOR_EAR = ATTACK_SLOTS, // where the victim asks for what it needs
    DOOR,
    VICTIM_EAR, // the right to receive, on its way to the victim
    SERVICE,    // the way to the victim
    VOID_EAR,   // receives only if it says so
    VOID,
    SPACE,
    VICTIM,
    CLIENTS, // the two, and the one who waits
    SLEEPER = CLIENTS + 3,
    ASKER, // the victim's calls: its question, and the one it is not answered
    HELD,
    LENT,
};

enum state {
    FRESH, // it never ran
    SPINS,
    SENDS,
    AWAITS_REPLY,
    LENDS,
    RECEIVES,
    WAITS_FOR_NOTE,
    WAITS_FOR_END,
    STARVES,
    FAULTS_IN_QUEUE, // its pager has not looked
    IS_PAGED,        // its pager has the fault
    EXITS,           // by itself, before anybody kills it
    FAULTS,
    STATES,
};

static const char *const names[STATES] = {
    "before it ever ran",
    "computing",
    "sending",
    "waiting for a reply",
    "lending",
    "receiving",
    "waiting for a note",
    "waiting for an end",
    "waiting for memory",
    "with a fault in its pager's queue",
    "with a fault that its pager has",
    "after its exit",
    "after its fault",
};

#define N_THREADS   4u
#define STACK_BYTES 1024u
#define TURNS       16u // enough for all the others to get where they want to be
#define QUOTA       64u
#define LAZY        0x10000000ul
#define NOWHERE     0x7000000000ul

static char stacks[N_THREADS][STACK_BYTES] __attribute__((aligned(16)));

// The victim's slots.
enum { EAR = SLOT_FREE, GIFT, KEPT };

static void fall(enum state state)
{
    struct message m = {{0}};
    uint64_t word;
    struct vmm_exit end;
    switch (state) {
    case SPINS:
        for (;;)
            __asm__ volatile("");
    case SENDS:
    case AWAITS_REPLY:
        (void)ipc_call(GIFT, 0, 0, &m);
        break;
    case LENDS:
        (void)ipc_call_lending(GIFT, SLOT_SELF, 0, &m);
        break;
    case RECEIVES:
        (void)ipc_receive(EAR, 0, KEPT + 1, &m); // the client in the queue
        (void)ipc_receive(EAR, 0, KEPT + 2, &m);
        break;
    case WAITS_FOR_NOTE:
        (void)!ipc_wait(EAR, &word);
        break;
    case WAITS_FOR_END:
        (void)!vmm_wait(GIFT, &end);
        break;
    case STARVES:
        (void)!vmm_map(SLOT_SELF, LAZY, 2 * QUOTA, PROT_R | PROT_W, MAP_LAZY);
        for (vaddr_t va = LAZY; va < LAZY + 2 * QUOTA * PAGE_SIZE; va += PAGE_SIZE)
            *(volatile uint8_t *)va = 1;
        break;
    case FAULTS_IN_QUEUE:
    case IS_PAGED:
        (void)!vmm_set_pager(SLOT_SELF, LAZY, 1, PROT_R | PROT_W, 0, GIFT);
        *(volatile uint8_t *)LAZY = 1;
        break;
    case FAULTS:
        *(volatile uint8_t *)NOWHERE = 1;
        break;
    default:
        break;
    }
    ipc_exit(state);
}

static void live(uint64_t state)
{
    struct message m = {{0}};
    if (ipc_call(SLOT_PARENT, 0, EAR, &m).status != OK ||
        ipc_receive(EAR, 0, KEPT, &m).status != OK)
        ipc_exit(STATES);
    if (ipc_call(SLOT_PARENT, 0, GIFT, &m).status != OK)
        ipc_exit(STATES);
    fall((enum state)state);
}

static void be_client(uint64_t argument)
{
    struct message m = {{argument}};
    ipc_exit((uint64_t)(int64_t)ipc_call(SLOT_PARENT, 0, 0, &m).status);
}

static void be_waiter(uint64_t argument)
{
    struct vmm_exit end = {.kind = EXIT_NORMAL, .code = argument};
    status_t status = vmm_wait(SLOT_PARENT, &end);
    ipc_exit(status == OK ? end.kind : 100);
}

static void sleep(uint64_t argument)
{
    uint64_t word;
    if (vmm_endpoint(SLOT_SELF, EAR) == OK)
        (void)!ipc_wait(EAR, &word);
    ipc_exit(argument);
}

static status_t start(void (*entry)(uint64_t), unsigned stack, slot_t portal, slot_t into)
{
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = entry,
        .stack_top = stacks[stack] + STACK_BYTES,
        .priority = PRIORITY_DEFAULT,
        .portal = portal,
    };
    return thread_start(&thread, into);
}

// Answers the victim's next question with a capability.
static status_t give(slot_t send, uint32_t flags)
{
    struct message m = {{0}};
    struct result r = ipc_receive(DOOR_EAR, 0, ASKER, &m);
    return r.status != OK
               ? r.status
               : sys_invoke(sys_header(SYS_REPLY_RECV, 0, send, 0, ASKER, SYS_REPLY | flags), &m)
                     .status;
}

static void let_others_run(void)
{
    for (unsigned i = 0; i < TURNS; i++)
        ipc_yield();
}

static status_t make_ways(void)
{
    status_t status = vmm_endpoint(SLOT_SELF, DOOR_EAR);
    if (status == OK)
        status = vmm_portal(SLOT_SELF, DOOR_EAR, 1, SLOT_ALL, DOOR);
    if (status == OK)
        status = vmm_endpoint(SLOT_SELF, VOID_EAR);
    if (status == OK)
        status = vmm_portal(SLOT_SELF, VOID_EAR, 2, SLOT_ALL, VOID);
    return status == OK ? start(sleep, 3, 0, SLEEPER) : status;
}

// Whether the victim's call, or fault, is taken out of the queue of VOID_EAR.
static bool is_received(enum state state)
{
    return state == AWAITS_REPLY || state == LENDS || state == IS_PAGED;
}

// The victim, in its state, with those who wait for it.
static status_t set_up(enum state state)
{
    struct message m = {{0}};
    status_t status = vmm_endpoint(SLOT_SELF, VICTIM_EAR);
    if (status == OK)
        status = vmm_portal(SLOT_SELF, VICTIM_EAR, 3, SLOT_ALL, SERVICE);
    for (unsigned i = 0; status == OK && i < 2; i++)
        status = start(be_client, i, SERVICE, CLIENTS + i);
    let_others_run();
    if (status == OK)
        status = attack_sandbox(live, state, QUOTA, DOOR, SPACE, VICTIM);
    if (status == OK)
        status = start(be_waiter, 2, VICTIM, CLIENTS + 2);
    if (status != OK || state == FRESH)
        return status;
    status = give(VICTIM_EAR, SYS_MOVE);
    if (status == OK)
        status = give(state == WAITS_FOR_END ? SLEEPER : VOID, 0);
    let_others_run();
    if (status == OK && is_received(state))
        status = ipc_receive(VOID_EAR, LENT, HELD, &m).status;
    return status;
}

static enum exit_kind kind_of(enum state state)
{
    return state == EXITS ? EXIT_NORMAL : state == FAULTS ? EXIT_FAULT : EXIT_KILLED;
}

// What the victim had with others is gone with it: its call, what it lent.
static bool is_let_go(enum state state)
{
    struct message m = {{0}};
    if (is_received(state))
        return ipc_reply(HELD, 0, &m) == E_SLOT && ipc_drop(LENT) == E_SLOT;
    return sys_invoke(sys_header(SYS_REPLY_RECV, VOID_EAR, 0, 0, HELD, SYS_POLL), &m).status ==
           E_BUSY;
}

// The clients and the waiter end with what they heard.
static bool all_heard(enum state state)
{
    bool ok = true;
    for (unsigned i = 0; i < 3; i++) {
        struct vmm_exit end = {.kind = EXIT_KILLED};
        uint64_t wanted = i == 2 ? kind_of(state) : (uint64_t)(int64_t)E_DEAD;
        status_t status = thread_end(CLIENTS + i, &end);
        if (status == OK && end.kind == EXIT_NORMAL && end.code == wanted)
            continue;
        log_format("# killer: %u: %s, kind %u, code %ld, not %ld\n", i, status_name(status),
                   end.kind, (int64_t)end.code, (int64_t)wanted);
        ok = false;
    }
    return ok;
}

static bool is_over(enum state state)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    struct message m = {{0}};
    bool ok = vmm_wait(VICTIM, &end) == OK && end.kind == kind_of(state);
    // Nobody receives there any more; if the victim never asked for that right, it is still here.
    if (state == FRESH)
        ok = ipc_drop(VICTIM_EAR) == OK && ok;
    ok = all_heard(state) && ok;
    status_t status = ipc_call(SERVICE, 0, 0, &m).status;
    ok = status == E_DEAD && ok;
    return vmm_kill(VICTIM) == OK && ok; // once more: it has been done
}

static bool dies(enum state state, status_t (*kill)(slot_t slot), slot_t slot)
{
    uint64_t before = attack_charged();
    status_t status = set_up(state);
    if (status == OK)
        status = kill(slot);
    if (status != OK) {
        log_format("# killer: %s\n", status_name(status));
        return false;
    }
    bool ok = is_over(state);
    ok = is_let_go(state) && ok;
    ok = ipc_drop(SERVICE) == OK && ipc_drop(VICTIM) == OK && ipc_drop(SPACE) == OK && ok;
    uint64_t after = attack_charged();
    if (after != before)
        log_format("# killer: %lu frames before, %lu after\n", before, after);
    return ok && after == before;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (!check_status(make_ways(), OK, "makes what it needs"))
        return 1;
    let_others_run();
    (void)dies(EXITS, vmm_kill, VICTIM); // pages that init loaded become its own
    for (unsigned i = 0; i < STATES; i++) {
        check(dies((enum state)i, vmm_kill, VICTIM), "killed %s", names[i]);
        check(dies((enum state)i, vmm_destroy, SPACE), "its space destroyed %s", names[i]);
    }
    check_status(vmm_kill(SLEEPER), OK, "kills the one who slept meanwhile");
    return 0;
}

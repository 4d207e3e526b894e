// SPDX-License-Identifier: MIT
// A server whose callers are threads of its own program, so that it knows exactly what is pending
// when it looks: notifications and calls take turns, calls come in their order, replies go once.
#include "ipc/init_client.h"
#include "ipc/thread.h"

enum { HALL = SLOT_FREE, DOOR, BELL, CHIME, CALLER, GUESTS };

#define N_GUESTS    3u
#define STACK_BYTES 4096u
#define GUEST_RISES (PRIORITY_DEFAULT + 4u) // so that a guest has called when its start returns

static char stacks[N_GUESTS][STACK_BYTES] __attribute__((aligned(16)));

// Calls with its number and exits with the answer.
static void guest(uint64_t number)
{
    struct message m = {{number}};
    status_t status = ipc_call(SLOT_PARENT, 0, 0, &m).status;
    ipc_exit(status == OK ? m.w[0] : 99);
}

static status_t invite_guests(void)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N_GUESTS; i++) {
        const struct thread thread = {
            .space = SLOT_SELF,
            .entry = guest,
            .stack_top = stacks[i] + STACK_BYTES,
            .argument = i,
            .priority = GUEST_RISES,
            .portal = DOOR,
        };
        status = thread_start(&thread, GUESTS + i);
    }
    return status;
}

static struct result poll(uint32_t flags, struct message *m)
{
    return sys_invoke(sys_header(SYS_REPLY_RECV, HALL, 0, 0, CALLER, SYS_POLL | flags), m);
}

static bool ring_both(void)
{
    return ipc_notify(BELL) == OK && ipc_notify(CHIME) == OK;
}

// All guests are waiting, and the bells ring all the time. Each guest is let out with 10 plus its
// number.
static void take_turns(void)
{
    struct message m = {{0}};
    uint32_t flags = 0;
    for (unsigned i = 0; i < N_GUESTS; i++) {
        bool has_rung = ring_both();
        struct result result = poll(flags, &m);
        check(has_rung && result.kind == MESSAGE_NOTIFICATION && m.w[0] == (1 | 4),
              "turn %u: notifications come as one word, before a call", i);
        has_rung = ring_both();
        result = poll(0, &m);
        check(has_rung && result.status == OK && result.kind == MESSAGE_CALL && m.w[0] == i,
              "turn %u: the next is a call, in the order of calling", i);
        m = (struct message){{10 + i}};
        flags = SYS_REPLY;
    }
    poll(flags, &m);
}

static void let_out(void)
{
    for (unsigned i = 0; i < N_GUESTS; i++) {
        struct vmm_exit end = {.kind = EXIT_KILLED};
        status_t status = thread_end(GUESTS + i, &end);
        check(status == OK && end.kind == EXIT_NORMAL && end.code == 10 + i,
              "guest %u got its own answer", i);
    }
}

static void test_waiting(void)
{
    uint64_t word = 0;
    struct message m = {{0}};
    struct result result = sys_invoke(sys_header(SYS_WAIT, HALL, 0, 0, 0, SYS_POLL), &m);
    check_status(result.status, E_BUSY, "no notification is left");
    check(ring_both() && ipc_wait(HALL, &word) == OK && word == (1 | 4),
          "a wait takes the notifications alone");
    check_status(poll(SYS_REPLY, &m).status, E_SLOT, "an answered caller cannot be answered again");
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (get("hall", HALL) != OK || get("door", DOOR) != OK || get("bell", BELL) != OK ||
        get("chime", CHIME) != OK || invite_guests() != OK)
        return 1;
    take_turns();
    let_out();
    test_waiting();
    return 0;
}

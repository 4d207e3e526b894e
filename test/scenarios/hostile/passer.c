// SPDX-License-Identifier: MIT
// Two tasks that send each other all they have: copied, moved, lent, with the caller's own reply
// capability and the right to receive among it, until one has lost what it needs to go on.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

enum { EAR = SLOT_FREE, DOOR, PARTNER, SPACE, TASK, TRAY, SLOTS_USED = TRAY + 4 };

#define CALLS 300u
#define QUOTA 64u

static char stack[2048] __attribute__((aligned(16)));

static slot_t any_slot(uint64_t r)
{
    return (slot_t)(r % SLOTS_USED);
}

static uint32_t any_flags(uint64_t r)
{
    return (uint32_t)(r & (SYS_MOVE | SYS_LEND)) | (r & 16 ? SYS_MASK(r >> 8 & SLOT_ALL) : 0);
}

static void send(uint64_t seed)
{
    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t r = random_next(&seed);
        struct message m = {{r}};
        slot_t to = r >> 62 ? SLOT_PARENT : any_slot(r >> 4);
        (void)sys_invoke(
            sys_header(SYS_CALL, to, any_slot(r >> 16), any_slot(r >> 24), 0, any_flags(r >> 32)),
            &m);
        if (r >> 58 & 1)
            (void)!ipc_drop(any_slot(r >> 48));
    }
    ipc_exit(0);
}

static void pass(uint64_t seed)
{
    seed++;
    if (vmm_endpoint(SLOT_SELF, EAR) != OK ||
        vmm_portal(SLOT_SELF, EAR, seed, SLOT_ALL, DOOR) != OK)
        return;
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = send,
        .stack_top = stack + sizeof stack,
        .argument = seed,
        .priority = PRIORITY_DEFAULT,
        .portal = DOOR,
    };
    (void)!thread_start(&thread, PARTNER);
    for (unsigned i = 0; i < CALLS; i++) {
        uint64_t r = random_next(&seed);
        struct message m = {{r}};
        slot_t reply = TRAY + (slot_t)(r & 3);
        enum syscall_number number = r >> 61 ? SYS_REPLY_RECV : SYS_FORWARD;
        slot_t target = number == SYS_FORWARD ? DOOR : EAR;
        uint32_t flags = any_flags(r >> 32) | SYS_POLL | (r & 8 ? SYS_REPLY : 0);
        (void)sys_invoke(
            sys_header(number, target, any_slot(r >> 16), any_slot(r >> 24), reply, flags), &m);
        if (r >> 58 & 1)
            (void)!ipc_drop(any_slot(r >> 48));
        if (r >> 59 & 1)
            ipc_yield();
    }
    ipc_exit(0);
}

static void pass_without_end(uint64_t seed)
{
    for (;; seed++)
        (void)attack_round(pass, seed, QUOTA, SPACE, TASK);
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = pass_without_end, .n_sandboxes = 1, .quota = 3 * QUOTA, .n_tasks = 3};
    return attack_main(&attack, seed);
}

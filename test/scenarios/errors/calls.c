// SPDX-License-Identifier: MIT
// System calls with everything wrong with them: each answers a typed error, zero words, and the
// task goes on.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/lib/random.h"

enum { ENDPOINT = SLOT_FREE, PORTAL, EMPTY };

#define ROUNDS       20000u
#define NUMBERS      256u
#define FIRST_UNUSED 16u // slots from here on are empty
#define SEED         0x5eed0f0ca11ull

static struct result call(enum syscall_number number, slot_t target, slot_t send, slot_t receive,
                          slot_t reply, uint32_t flags)
{
    struct message m = {{0}};
    return sys_invoke(sys_header(number, target, send, receive, reply, flags), &m);
}

// Numbers that nobody has, and those of the machine's holder.
static void test_numbers(void)
{
    unsigned wrong = 0;
    for (unsigned number = SYS_COUNT; number < NUMBERS; number++)
        wrong += call((enum syscall_number)number, SLOT_SELF, 0, 0, 0, 0).status != E_NOSYS;
    check(wrong == 0, "numbers that are no system calls (%u wrong)", wrong);
    wrong = 0;
    for (unsigned number = SYS_CONSOLE_READ; number < SYS_COUNT; number++)
        wrong += call((enum syscall_number)number, SLOT_SELF, 0, 0, 0, 0).status != E_SLOT;
    struct message space = {{0x5000, 0x1000, 1}}; // a flush of it takes a way of its own
    wrong += sys_invoke(sys_header(SYS_FLUSH, SLOT_SELF, 0, 0, 0, 0), &space).status != E_SLOT;
    check(wrong == 0, "calls of the machine's holder (%u wrong)", wrong);
}

static void test_slots(void)
{
    check_status(call(SYS_CALL, EMPTY, 0, 0, 0, 0).status, E_SLOT, "calls an empty slot");
    check_status(call(SYS_CALL, 0, 0, 0, 0, 0).status, E_SLOT, "calls slot 0, its pager's");
    check_status(call(SYS_CALL, ENDPOINT, 0, 0, 0, 0).status, E_SLOT, "calls an endpoint");
    check_status(call(SYS_REPLY_RECV, PORTAL, 0, 0, EMPTY, 0).status, E_SLOT,
                 "receives on a portal");
    check_status(call(SYS_REPLY_RECV, ENDPOINT, 0, 0, 0, 0).status, E_SLOT,
                 "receives without a reply slot");
    check_status(call(SYS_REPLY_RECV, ENDPOINT, 0, 0, PORTAL, 0).status, E_OCCUPIED,
                 "receives with an occupied reply slot");
    check_status(call(SYS_REPLY_RECV, ENDPOINT, 0, EMPTY, EMPTY, 0).status, E_INVAL,
                 "receives with one slot for two things");
    check_status(call(SYS_FORWARD, PORTAL, 0, 0, EMPTY, 0).status, E_SLOT,
                 "forwards a caller that it does not have");
    check_status(call(SYS_NOTIFY, ENDPOINT, 0, 0, 0, 0).status, E_SLOT, "notifies an endpoint");
    check_status(call(SYS_WAIT, PORTAL, 0, 0, 0, 0).status, E_SLOT, "waits on a portal");
    check_status(call(SYS_DROP, 0, 0, 0, 0, 0).status, E_SLOT, "drops slot 0");
}

static bool is_typed_error(status_t status)
{
    return status < 0 && status_name(status)[2] != '?';
}

// Any header and any words, but for calls that would end the task (EXIT), print (LOG) or succeed
// (YIELD), and for targets that hold something.
static bool call_is_survived(uint64_t *seed)
{
    struct message m;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        m.w[i] = random_word(seed);
    enum syscall_number number = random_next(seed) % NUMBERS;
    if (number == SYS_EXIT || number == SYS_LOG || number == SYS_YIELD)
        return true;
    slot_t target = FIRST_UNUSED + random_next(seed) % (SLOT_MAX - FIRST_UNUSED);
    uint64_t others =
        random_next(seed) & ~sys_header((enum syscall_number)0xff, SLOT_MAX, 0, 0, 0, 0);
    struct result result = sys_invoke(others | sys_header(number, target, 0, 0, 0, 0), &m);
    bool is_empty = !(m.w[0] | m.w[1] | m.w[2] | m.w[3] | m.w[4] | m.w[5] | result.badge);
    return is_typed_error(result.status) && is_empty;
}

static void test_random(void)
{
    uint64_t seed = SEED;
    unsigned wrong = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        wrong += !call_is_survived(&seed);
    check(wrong == 0, "%u random calls, seed 0x%lx (%u wrong)", ROUNDS, (uint64_t)SEED, wrong);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (vmm_endpoint(SLOT_SELF, ENDPOINT) != OK ||
        vmm_portal(SLOT_SELF, ENDPOINT, 1, SLOT_ALL, PORTAL) != OK)
        return 1;
    test_numbers();
    test_slots();
    test_random();
    return 0;
}

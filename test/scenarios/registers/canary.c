// SPDX-License-Identifier: MIT
// Two of these run at once, with seeds of their own as the argument.
#include "test/scenarios/registers/seeds.h"

#include "ipc/init_client.h"

#define ROUNDS       2000000ul // of counting: some time slices
#define SPINS        20u
#define YIELDS       500u
#define MXCSR_NORMAL 0x1f80u
#define MXCSR_ROUND  0x6000u // rounding control

static uint64_t spin(uint64_t seed)
{
    uint64_t wrong = 0;
    for (unsigned i = 0; i < SPINS; i++)
        wrong += canary_spin(seed, ROUNDS);
    return wrong;
}

static uint64_t yield(uint64_t seed)
{
    uint64_t wrong = 0;
    for (unsigned i = 0; i < YIELDS; i++)
        wrong += canary_syscall(seed, sys_header(SYS_YIELD, 0, 0, 0, 0, 0));
    return wrong;
}

// One of the two tasks uses the data segment that the stack has, the other a null selector.
static uint64_t watch_selectors(bool is_first)
{
    uint16_t stack_segment;
    uint64_t strange = 0;
    __asm__ volatile("mov %%ss, %0" : "=r"(stack_segment));
    uint16_t mine = is_first ? stack_segment : 1;
    for (unsigned i = 0; i < YIELDS; i++) {
        selectors_load(mine);
        ipc_yield();
        strange += selectors_strange(mine);
    }
    return strange;
}

static uint32_t mxcsr_read(void)
{
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}

// A call that the VMM refuses. No FPU register is touched on the way.
static void call_in_vain(void)
{
    static struct message m;
    m.w[0] = 0;
    (void)ipc_call(SLOT_SELF, 0, 0, &m);
}

// The other task rounds differently, and takes the FPU: a call that follows is a plain one again.
static bool keeps_rounding(bool is_first, bool calls)
{
    uint32_t mine = MXCSR_NORMAL | (is_first ? MXCSR_ROUND : 0);
    bool is_kept = true;
    __asm__ volatile("ldmxcsr %0" : : "m"(mine));
    for (unsigned i = 0; i < YIELDS; i++) {
        ipc_yield();
        if (calls)
            call_in_vain();
        is_kept = is_kept && mxcsr_read() == mine;
    }
    return is_kept;
}

uint64_t main(uint64_t argument)
{
    bool is_first = argument >> 60 == 0xa;
    check(mxcsr_read() == MXCSR_NORMAL, "starts with the default rounding");
    check(selectors_strange(0) == 0, "starts with empty data segments");
    uint64_t wrong = spin(argument);
    check(wrong == 0, "finds its own registers after time slices (%lu wrong)", wrong);
    wrong = yield(argument);
    check(wrong == 0, "finds nothing but zeros and its XMM after system calls (%lu wrong)", wrong);
    wrong = watch_selectors(is_first);
    check(wrong == 0, "never finds a selector that it did not load (%lu strange)", wrong);
    check(keeps_rounding(is_first, false), "keeps its rounding mode");
    check(keeps_rounding(is_first, true), "keeps it over calls, too");
    return 0;
}

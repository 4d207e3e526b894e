// SPDX-License-Identifier: MIT
// Does its work although another task of its priority spins for ever: the timer gives each its
// turn.
#include "ipc/init_client.h"

#define ROUNDS 20000000ul

static uint64_t count(void)
{
    volatile uint64_t i = 0;
    while (i < ROUNDS)
        i++;
    return i;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    check(true, "comes to its turn beside a task that spins");
    check(count() == ROUNDS, "gets through long work");
    for (unsigned i = 0; i < 3; i++)
        ipc_yield();
    check(true, "gets the CPU back when it yields to the spinner");
    return 0;
}

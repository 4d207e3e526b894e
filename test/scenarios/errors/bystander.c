// SPDX-License-Identifier: MIT
// Works while its neighbours do everything wrong, and finds its memory as it left it.
#include "ipc/init_client.h"

#define WORDS  4096u
#define ROUNDS 2000u

static volatile uint64_t field[WORDS];

uint64_t main(uint64_t argument)
{
    (void)argument;
    unsigned wrong = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < WORDS; i++)
            field[i] = field[i] + i;
        if (round % 16 == 0)
            ipc_yield();
    }
    for (unsigned i = 0; i < WORDS; i++)
        wrong += field[i] != (uint64_t)i * ROUNDS;
    check(wrong == 0, "nobody touched its memory (%u words wrong)", wrong);
    return 0;
}

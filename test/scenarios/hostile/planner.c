// SPDX-License-Identifier: MIT
// Begins long requests and does not go on with them, or with another one's token; plans far more than
// there is, in a space at which others wait for their turn.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"

enum { LAND = SLOT_FREE, COPY, HELPER };

#define FIELD     0x10000000ul
#define PAGES     160ul
#define TOO_MANY  0x100000ul
#define SCATTERED 64ul
#define RW        (PROT_R | PROT_W)

static char stack[2048] __attribute__((aligned(16)));

// Only the first step of it.
static uint64_t begin(slot_t carried, slot_t into, uint64_t word0, uint64_t r)
{
    uint64_t pages = r & 0x100 ? PAGES : r & 0x200 ? TOO_MANY : 1 + (r >> 16) % TOO_MANY;
    vaddr_t va = FIELD + (r >> 40) % PAGES * PAGE_SIZE;
    struct message m = {{word0, va, pages, RW, RW, r & 0x400 ? r >> 50 : 0}};
    (void)ipc_call(LAND, carried, into, &m);
    return m.w[5];
}

static void plan(uint64_t seed)
{
    uint64_t token = 0;
    if (vmm_create(SLOT_SELF, 0, LAND) != OK)
        return;
    for (;;) {
        uint64_t r = random_next(&seed);
        vaddr_t va = FIELD + (r >> 40) % PAGES * PAGE_SIZE;
        struct message m = {{vmm_word0(VMM_UNMAP, 0), FIELD, TOO_MANY, 0, 0, token}};
        switch (r % 12) {
        case 0 ... 5:
            token = begin(0, 0, vmm_word0(VMM_MAP, MAP_REPLACE | MAP_4K), r);
            break;
        case 6:
            token = begin(0, 0, vmm_word0(VMM_PROTECT, 0), r);
            break;
        case 7:
            token = begin(SLOT_SELF, 0, vmm_word0(VMM_SHARE, 0), r);
            break;
        case 8:
            token = begin(0, COPY, vmm_word0(VMM_SPACE_CLONE, 0), r); // CLONE_COPY or what comes
            (void)!ipc_drop(COPY);
            break;
        case 9:
            (void)ipc_call(LAND, 0, 0, &m);
            break;
        case 10:
            m = (struct message){{vmm_word0(VMM_SETTLE, 0), r, r, r, r, token}};
            (void)ipc_call(LAND, 0, 0, &m);
            break;
        default: // a field of many entries, so that plans are long
            for (uint64_t i = 0; i < SCATTERED; i += 2)
                (void)!vmm_map(LAND, va + (i << 21), 1, i & 2 ? RW : PROT_R, MAP_LAZY);
        }
    }
}

// Each thread has slots of its own, and so a land; what they have in common is the account.
static void start(uint64_t seed)
{
    const struct thread thread = {
        .space = SLOT_SELF,
        .entry = plan,
        .stack_top = stack + sizeof stack,
        .argument = seed + 77,
        .priority = PRIORITY_DEFAULT,
    };
    if (thread_start(&thread, HELPER) == OK)
        plan(seed + 1);
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = start, .n_sandboxes = 1, .quota = 320, .n_tasks = 2};
    return attack_main(&attack, seed);
}

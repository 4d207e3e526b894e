// SPDX-License-Identifier: MIT
// Serves the faults of its own threads as no pager should: keeps them back, drops them, answers with
// anything, supplies what it does not have, supplies nothing and says that it did, closes its ear.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"
#include "test/scenarios/lib/touch.h"

enum { EAR = SLOT_FREE, DOOR, TOUCHERS, KEPT = TOUCHERS + 8, SLOTS_END = 48 };

#define FIELD      0x10000000ul
#define STORE      0x20000000ul
#define PAGES      64ul
#define N_TOUCHERS 8u
#define RW         (PROT_R | PROT_W)

static void open_ear(uint64_t seed)
{
    (void)!ipc_drop(EAR);
    (void)!ipc_drop(DOOR);
    (void)!vmm_endpoint(SLOT_SELF, EAR);
    (void)!vmm_portal(SLOT_SELF, EAR, seed, SLOT_ALL, DOOR);
    (void)!vmm_set_pager(SLOT_SELF, FIELD, PAGES, RW, MAP_REPLACE, DOOR);
    (void)!vmm_map(SLOT_SELF, STORE, PAGES, RW, MAP_LAZY);
}

// Somebody who waits for a page, instead of whoever did so before.
static void touch_one(uint64_t r)
{
    slot_t slot = TOUCHERS + (slot_t)(r % N_TOUCHERS);
    if (vmm_kill(slot) == OK)
        (void)!ipc_drop(slot);
    (void)!touch_start(SLOT_SELF, r & 256 ? TOUCH_WRITE : TOUCH_READ,
                       FIELD + (r >> 16) % PAGES * PAGE_SIZE, r, slot);
}

static void answer_anyhow(slot_t fault, uint64_t r)
{
    struct message m = {{r >> 32 & 1 ? 0 : r}};
    switch (r >> 60) {
    case 0 ... 5:
        break; // never
    case 6 ... 7:
        (void)!ipc_drop(fault);
        break;
    case 8 ... 10:
        (void)!vmm_supply(SLOT_SELF, STORE + (r >> 8) % PAGES * PAGE_SIZE, 1 + (r >> 16) % 4, fault,
                          FIELD + (r >> 24) % PAGES * PAGE_SIZE, RW, (uint32_t)(r >> 33) & 1);
        [[fallthrough]];
    default:
        (void)!ipc_reply(fault, 0, &m);
    }
}

static void serve(uint64_t seed)
{
    slot_t fault = KEPT;
    open_ear(++seed);
    for (;;) {
        uint64_t r = random_next(&seed);
        struct message m = {{0}};
        touch_one(r);
        ipc_yield();
        (void)!ipc_drop(fault); // held back since all slots were used once
        if (sys_invoke(sys_header(SYS_REPLY_RECV, EAR, 0, 0, fault, SYS_POLL), &m).status == OK)
            answer_anyhow(fault, random_next(&seed));
        if (++fault == SLOTS_END)
            fault = KEPT;
        if (r >> 58 == 0)
            open_ear(seed);
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = serve, .n_sandboxes = 1, .quota = 192, .n_tasks = 1 + N_TOUCHERS};
    return attack_main(&attack, seed);
}

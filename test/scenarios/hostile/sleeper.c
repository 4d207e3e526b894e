// SPDX-License-Identifier: MIT
// The pager of windows in other spaces, who sleeps: it takes the faults, and does not serve them, or far
// too late, and with what nobody asked for. The spaces come and go meanwhile.
#include "test/scenarios/lib/attack.h"
#include "test/scenarios/lib/random.h"
#include "test/scenarios/lib/touch.h"

enum { EAR = SLOT_FREE, DOOR, SPACES, TOUCHERS = SPACES + 6, KEPT = TOUCHERS + 6, SLOTS_END = 52 };

#define N_SPACES 6u
#define FIELD    0x10000000ul
#define STORE    0x20000000ul
#define PAGES    16ul
#define RW       (PROT_R | PROT_W)

static vaddr_t page_of(vaddr_t base, uint64_t r)
{
    return base + r % PAGES * PAGE_SIZE;
}

// Another space with the window, and somebody in it who waits for a page.
static void open_window(unsigned i, uint64_t r)
{
    (void)!ipc_drop(TOUCHERS + i);
    (void)!ipc_drop(SPACES + i);
    if (vmm_clone(SLOT_SELF, CLONE_COW, 0, SPACES + i) != OK)
        return;
    (void)!vmm_set_pager(SPACES + i, FIELD, PAGES, RW, 0, DOOR);
    (void)!touch_start(SPACES + i, r & 1 ? TOUCH_WRITE : TOUCH_READ, page_of(FIELD, r >> 8), r,
                       TOUCHERS + i);
}

static void wake_late(slot_t fault, uint64_t r)
{
    struct message m = {{r & 1 ? 0 : r}};
    if (r & 2)
        (void)!vmm_supply(SLOT_SELF, page_of(STORE, r >> 8), 1, fault, page_of(FIELD, r >> 16), RW,
                          r & 4 ? SUPPLY_MOVE : 0);
    if (r & 24)
        (void)!ipc_reply(fault, 0, &m);
    (void)!ipc_drop(fault);
}

static void sleep(uint64_t seed)
{
    slot_t fault = KEPT;
    seed++;
    if (vmm_endpoint(SLOT_SELF, EAR) != OK ||
        vmm_portal(SLOT_SELF, EAR, seed, SLOT_ALL, DOOR) != OK ||
        vmm_map(SLOT_SELF, STORE, PAGES, RW, MAP_LAZY) != OK)
        return;
    for (;;) {
        struct message m = {{0}};
        uint64_t r = random_next(&seed);
        open_window((unsigned)(r >> 32) % N_SPACES, r);
        ipc_yield();
        wake_late(fault, random_next(&seed)); // held since all slots were used once
        if (sys_invoke(sys_header(SYS_REPLY_RECV, EAR, 0, 0, fault, SYS_POLL), &m).status == OK &&
            ++fault == SLOTS_END)
            fault = KEPT;
    }
}

uint64_t main(uint64_t seed)
{
    static const struct attack attack = {
        .run = sleep, .n_sandboxes = 1, .quota = 320, .n_tasks = 1 + N_SPACES};
    return attack_main(&attack, seed);
}

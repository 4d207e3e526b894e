// SPDX-License-Identifier: MIT
// Works its land while the neighbours attack: fills its quota, clones what it has, writes to both sides,
// and finds every word where it put it, until the judge says that it is over.
#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/lib/touch.h"

enum { BELL = SLOT_FREE, LAND };

#define FIELD 0x20000000ul
#define PAGES 32ul
#define WORDS (PAGES * PAGE_SIZE / sizeof(uint64_t))
#define RW    (PROT_R | PROT_W)

static uint64_t word_of(uint64_t round, uint64_t i)
{
    return round * 0x9e3779b97f4a7c15ull + i;
}

static unsigned count_wrong(uint64_t round)
{
    const volatile uint64_t *field = (const volatile uint64_t *)FIELD;
    unsigned wrong = 0;
    for (uint64_t i = 0; i < WORDS; i++)
        wrong += field[i] != word_of(round, i);
    return wrong;
}

static unsigned sow(uint64_t round)
{
    volatile uint64_t *field = (volatile uint64_t *)FIELD;
    if (vmm_map(SLOT_SELF, FIELD, PAGES, RW, round % 2 ? MAP_LAZY : 0) != OK)
        return 1;
    for (uint64_t i = 0; i < WORDS; i++)
        field[i] = word_of(round, i);
    return 0;
}

// A clone that is written to, and what the original has of it: nothing.
static unsigned lease(uint64_t round)
{
    vaddr_t va = FIELD + round % PAGES * PAGE_SIZE;
    uint64_t first = round % PAGES * (PAGE_SIZE / sizeof(uint64_t));
    unsigned wrong = vmm_clone(SLOT_SELF, CLONE_COW, 0, LAND) != OK;
    wrong += !touch_writes(LAND, va, ~round);
    wrong += !touch_reads(LAND, va, ~round);
    wrong += !touch_reads(SLOT_SELF, va, word_of(round, first));
    return wrong + (ipc_drop(LAND) != OK);
}

static bool is_over(void)
{
    struct message m = {{0}};
    return sys_invoke(sys_header(SYS_WAIT, BELL, 0, 0, 0, SYS_POLL), &m).status != E_BUSY;
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    unsigned wrong = 0;
    uint64_t round = 0;
    if (get("bell", BELL) != OK)
        return 1;
    for (; !is_over() && wrong == 0; round++) {
        wrong += sow(round);
        wrong += lease(round);
        wrong += count_wrong(round);
        wrong += vmm_unmap(SLOT_SELF, FIELD, PAGES) != OK;
    }
    log_format("# farmer: %lu rounds, %u wrong\n", round, wrong);
    check(wrong == 0, "gets its quota, always, and finds its words");
    return 0;
}

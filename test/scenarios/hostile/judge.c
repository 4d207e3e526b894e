// SPDX-License-Identifier: MIT
// Lets the attacks begin and end, first one by one, then all at once, and does useful work meanwhile:
// it computes, uses its quota, calls a good server and prints. It knows how long that takes when nobody
// attacks. A task gets its turn after one of each other task that wants the CPU, however that spends its
// own, so with N of them nothing may take longer than N + 1 times that, but for the turn in which it
// begins.
#include "ipc/init_client.h"
#include "test/scenarios/lib/attack.h"

enum { GATE = SLOT_FREE, ECHO, BELL, MACHINE, REPLIES };

static const char *const names[] = {"spinner", "flooder",   "hog",    "forker", "hoarder",
                                    "deriver", "spawner",   "closer", "holder", "guesser",
                                    "caller",  "requester", "passer", "mute",   "logger",
                                    "planner", "sleeper"};
#define N_ATTACKS (sizeof names / sizeof *names)

// The CPU's counter runs on while the host of this machine does something else: here only who is starved
// is found. What counts instructions instead, and is strict, is test/integration/test_hostile.py.
#define SLACK 100u

#define STEPS      5000000ul
#define MAP_ROUNDS 125u
#define MAP_PAGES  8ul
#define CALLS      2500u
#define FIELD      0x10000000ul
#define N_LINES    32u

// By badge: what it said last, and the slot in which its caller waits.
static struct attacker {
    uint64_t words[MESSAGE_WORDS];
    slot_t reply;
} attackers[N_ATTACKS];

static uint64_t counter(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

static bool compute(void)
{
    volatile uint64_t sum = 0;
    for (uint64_t i = 0; i < STEPS; i++)
        sum = sum + i;
    return sum == STEPS * (STEPS - 1) / 2;
}

static bool use_quota(void)
{
    unsigned wrong = 0;
    for (uint64_t round = 1; round <= MAP_ROUNDS; round++) {
        volatile uint64_t *field = (volatile uint64_t *)FIELD;
        wrong +=
            vmm_map(SLOT_SELF, FIELD, MAP_PAGES, PROT_R | PROT_W, round % 2 ? MAP_LAZY : 0) != OK;
        for (uint64_t i = 0; i < MAP_PAGES; i++) {
            volatile uint64_t *word = field + i * PAGE_SIZE / sizeof *field;
            wrong += *word != 0;
            *word = round + i;
            wrong += *word != round + i;
        }
        wrong += vmm_unmap(SLOT_SELF, FIELD, MAP_PAGES) != OK;
    }
    return wrong == 0;
}

static bool call_echo(void)
{
    unsigned wrong = 0;
    for (uint64_t i = 0; i < CALLS; i++) {
        struct message m = {{i, i + 1}};
        wrong += ipc_call(ECHO, 0, 0, &m).status != OK || m.w[0] != 2 * i + 1;
    }
    return wrong == 0;
}

static bool print(void)
{
    for (unsigned i = 0; i < N_LINES; i++)
        log_format("# judge: line %u of %u\n", i + 1, N_LINES);
    return true;
}

static struct work {
    const char *name;
    bool (*run)(void);
    uint64_t alone; // what it takes then
    uint64_t with;
} works[] = {{"computing", compute, 0, 0},
             {"memory", use_quota, 0, 0},
             {"calls", call_echo, 0, 0},
             {"printing", print, 0, 0}};
#define N_WORKS (sizeof works / sizeof *works)

// Whether all of it was done, and right.
static bool work_all(void)
{
    bool ok = true;
    for (unsigned i = 0; i < N_WORKS; i++) {
        uint64_t start = counter();
        ok = works[i].run() && ok;
        works[i].with = counter() - start;
    }
    return ok;
}

static bool measure_alone(void)
{
    bool ok = true;
    for (unsigned i = 0; i < 3; i++) {
        ok = work_all() && ok;
        for (unsigned j = 0; j < N_WORKS; j++)
            if (i == 0 || works[j].with < works[j].alone)
                works[j].alone = works[j].with;
    }
    for (unsigned j = 0; j < N_WORKS; j++)
        log_format("# judge: %s: %lu cycles alone\n", works[j].name, works[j].alone);
    return ok;
}

// Works beside `n_tasks` that want the CPU too.
static void check_share(const char *name, uint64_t n_tasks)
{
    bool ok = work_all();
    check(ok, "%s: all work is done, and right", name);
    ok = true;
    for (unsigned i = 0; i < N_WORKS; i++) {
        uint64_t tenths = works[i].with * 10 / works[i].alone;
        log_format("# judge: %s: %s: %lu/10 of the time alone, %lu tasks\n", name, works[i].name,
                   tenths, n_tasks);
        // Turns of the others, and pauses of the host's, are long against short work.
        uint64_t least = works[0].alone, alone = works[i].alone;
        ok = ok && works[i].with <= SLACK * (n_tasks + 1) * (alone < least ? least : alone);
    }
    check(ok, "%s: nobody takes more than a turn of the CPU", name);
}

static slot_t free_slot(void)
{
    slot_t slot = REPLIES;
    for (unsigned i = 0; i < N_ATTACKS;) {
        if (attackers[i++].reply == slot) {
            slot++;
            i = 0;
        }
    }
    return slot;
}

// Waits until as many attackers as `n` have said the next thing.
static bool hear(unsigned n)
{
    while (n) {
        struct message m;
        slot_t slot = free_slot();
        struct result r = ipc_receive(GATE, 0, slot, &m);
        if (r.status == E_MORE || (r.status == OK && r.kind != MESSAGE_CALL))
            continue;
        if (r.status != OK || r.badge >= N_ATTACKS)
            return false;
        struct attacker *a = &attackers[r.badge];
        a->reply = slot;
        __builtin_memcpy(a->words, m.w, sizeof m.w);
        n--;
    }
    return true;
}

static void answer(unsigned i, bool goes_on)
{
    struct message m = {{goes_on}};
    (void)!ipc_reply(attackers[i].reply, 0, &m);
    attackers[i].reply = 0;
}

static void check_gone(const char *name, bool ok)
{
    uint64_t frames = 0, errors = 1;
    ok = vmm_audit(MACHINE, &frames, &errors) == OK && errors == 0 && ok;
    check(ok, "%s: it is ended, all it took is back, and the audit finds nothing", name);
}

// Lets attackers first .. end - 1 go through a round together.
static bool attack(const char *name, unsigned first, unsigned end)
{
    uint64_t n_tasks = 0;
    bool is_on = true, is_off = true;
    for (unsigned i = first; i < end; i++) {
        n_tasks += attackers[i].words[1];
        answer(i, true);
    }
    if (!hear(end - first))
        return false;
    for (unsigned i = first; i < end; i++)
        is_on = is_on && attackers[i].words[0] == ATTACK_ON && attackers[i].words[1] == OK;
    check(is_on, "%s: the attack is on", name);
    check_share(name, n_tasks);
    for (unsigned i = first; i < end; i++) {
        answer(i, true);
        if (!hear(1))
            return false;
        if (attackers[i].words[1] != OK || attackers[i].words[2] != 0)
            log_format("# judge: %s: status %ld, %ld frames are missing\n", names[i],
                       (int64_t)attackers[i].words[1], (int64_t)attackers[i].words[2]);
        is_off = is_off && attackers[i].words[1] == OK && attackers[i].words[2] == 0;
    }
    check_gone(name, is_off);
    for (unsigned i = first; i < end; i++)
        answer(i, true);
    return hear(end - first);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (get("gate", GATE) != OK || get("echo", ECHO) != OK || get("bell", BELL) != OK ||
        get("machine", MACHINE) != OK || !hear(N_ATTACKS))
        return 1;
    check(measure_alone(), "works alone");
    for (unsigned i = 0; i < N_ATTACKS; i++)
        if (!attack(names[i], i, i + 1))
            return 1;
    if (!attack("all of them", 0, N_ATTACKS))
        return 1;
    for (unsigned i = 0; i < N_ATTACKS; i++)
        answer(i, false);
    check_status(ipc_notify(BELL), OK, "tells the farmer that it is over");
    return 0;
}

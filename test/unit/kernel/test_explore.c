// SPDX-License-Identifier: MIT
// Every interleaving, to a depth, of what the tasks of a small town may do. After each step the
// kernel's state is recomputed from scratch; from every state the VMM can get all of its frames
// back. Cases R1, R2, R4 and R6 in all their combinations.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/task.h"
#include "test/unit/fake/kernel/check.h"
#include "test/unit/fake/kernel/town.h"

#define DEPTH       4u
#define STATES_MAX  (1u << 17)
#define TABLE_SIZE  (1u << 18) // a power of two
#define CLEAR_EVERY 8u         // of the states, one in so many is cleared away

// How a state was come upon first.
struct node {
    uint32_t parent;
    uint32_t action;
};

#define START UINT32_MAX // for an action: none, the exploring starts here

static struct node node[STATES_MAX];
static unsigned n_nodes;
static uint64_t table[TABLE_SIZE]; // hashes of the states seen; 0: none
static unsigned char *states[2];   // of this depth and of the next
static size_t state_size;
static unsigned long n_steps;
static uint8_t special_seen;             // SPECIAL_*, of the client
static bool is_answered[1 - E_OVERFLOW]; // by status, negated: somebody got it

static uint64_t hash(const unsigned char *state)
{
    uint64_t h = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < state_size; i += 8) {
        uint64_t word;
        memcpy(&word, state + i, 8);
        h = (h ^ word) * 0xff51afd7ed558ccd;
        h ^= h >> 29;
    }
    return h ? h : 1;
}

static bool is_new(uint64_t h)
{
    for (uint64_t i = h;; i++) {
        uint64_t *place = &table[i % TABLE_SIZE];
        if (*place == h)
            return false;
        if (!*place) {
            *place = h;
            return true;
        }
    }
}

static void print_path(unsigned n)
{
    if (node[n].action == START)
        return;
    print_path(node[n].parent);
    print_error("  %s\n", town_action[node[n].action].name);
}

static void require(bool is_right, const char *what, unsigned n)
{
    if (is_right)
        return;
    print_error("%s, after:\n", what);
    print_path(n);
    fail();
}

static status_t vmm_acts(struct action a, unsigned n)
{
    status_t status;
    const char *problem;
    a.actor = TOWN_VMM;
    a.entry = ENTRY_SYSCALL;
    require(town_act(&a, &status, &problem), "the vmm cannot act", n);
    require(!problem, problem, n);
    n_steps++;
    return status;
}

static status_t machine_call_with(enum syscall_number number, uint64_t w0, unsigned n)
{
    return vmm_acts((struct action){.number = number, .call = {.target = SLOT_SELF, .w = {w0}}}, n);
}

static void drop_all(unsigned n)
{
    const slot_t slots[] = {REPLY_SLOT, RECEIVE_SLOT, 20};
    for (unsigned i = 0; i < 3; i++)
        (void)vmm_acts((struct action){.number = SYS_DROP, .call = {.target = slots[i]}}, n);
}

// Receives until nothing is there.
static void hear_all(unsigned n)
{
    struct action poll = {.number = SYS_REPLY_RECV,
                          .call = {.target = SLOT_PARENT,
                                   .receive = RECEIVE_SLOT,
                                   .reply = REPLY_SLOT,
                                   .flags = SYS_POLL}};
    do {
        drop_all(n);
    } while (vmm_acts(poll, n) == OK);
}

static void clear_object(const void *object, unsigned n)
{
    const struct object *o = object;
    status_t status;
    if (o->kind == OBJECT_NONE)
        return;
    do {
        status = machine_call_with(SYS_OBJECT_DESTROY, o->index, n);
    } while (status == E_MORE);
    require(status == OK, "an object cannot be destroyed", n);
}

// The VMM ends everything and has all of its frames.
static void clear_away(unsigned n)
{
    if (world.vmm->state != TASK_READY)
        return;
    for (unsigned i = 0; i < TOWN_VMM; i++)
        clear_object(town.task[i], n);
    hear_all(n);
    const uint64_t all = (1ull << town.n_portals) - 1;
    (void)vmm_acts((struct action){.number = SYS_PORTAL_REVOKE,
                                   .call = {.target = SLOT_SELF, .w = {world.portals, all}}},
                   n);
    hear_all(n);
    clear_object(town.back, n);
    clear_object(town.front, n);
    hear_all(n);
    clear_object(fake_frame(world.portals), n);
}

// Remembers the state in `found` unless it was seen before.
static bool remember(unsigned char *found, unsigned parent, unsigned action)
{
    town_save(found);
    special_seen |= town.task[TOWN_CLIENT]->special;
    if (!is_new(hash(found)))
        return false;
    assert_true(n_nodes < STATES_MAX);
    node[n_nodes++] = (struct node){parent, action};
    return true;
}

// Takes every action from one state; new states are appended to `next`.
static unsigned expand(const unsigned char *state, unsigned n, unsigned char *next)
{
    unsigned n_found = 0;
    for (unsigned i = 0; i < n_town_actions; i++) {
        status_t status;
        const char *problem;
        town_restore(state);
        if (!town_act(&town_action[i], &status, &problem))
            continue;
        n_steps++;
        if (status <= OK)
            is_answered[-status] = true;
        if (problem)
            print_error("%s\n", town_action[i].name);
        require(!problem, problem, n);
        if (!remember(next + n_found * state_size, n, i))
            continue;
        n_found++;
        if (n_nodes % CLEAR_EVERY == 0)
            clear_away(n_nodes - 1);
    }
    return n_found;
}

// What happened before the exploring starts; the first is nothing.
static const char *const starts[][5] = {
    {NULL},
    {"middle receives", "client calls front"},
    {"server receives", "client calls back", "server forwards", "middle receives"},
    {"vmm receives", "server exits", "client calls back", "middle calls back"},
    {"vmm mints", "vmm sets the client's pager", "server receives", "client faults"},
};

static unsigned action_named(const char *name)
{
    for (unsigned i = 0; i < n_town_actions; i++)
        if (strcmp(town_action[i].name, name) == 0)
            return i;
    fail_msg("no action \"%s\"", name);
    return 0;
}

// Goes the way to where an exploration starts; answers its node.
static unsigned go(const char *const *names)
{
    node[n_nodes++] = (struct node){0, START};
    for (; *names; names++) {
        status_t status;
        const char *problem;
        unsigned i = action_named(*names);
        assert_true(town_act(&town_action[i], &status, &problem));
        assert_null(problem);
        node[n_nodes] = (struct node){n_nodes - 1, i};
        n_nodes++;
    }
    return n_nodes - 1;
}

// Everything that can happen in DEPTH steps from a state.
static void explore(unsigned first)
{
    unsigned n_level = 1;
    memset(table, 0, sizeof table);
    town_save(states[0]);
    for (unsigned depth = 0; depth < DEPTH; depth++) {
        unsigned char *now = states[depth % 2], *next = states[(depth + 1) % 2];
        unsigned n_next = 0;
        for (unsigned i = 0; i < n_level; i++)
            n_next += expand(now + i * state_size, first + i, next + n_next * state_size);
        first += n_level;
        n_level = n_next;
    }
}

static void every_interleaving_keeps_the_kernel_whole(void **state)
{
    (void)state;
    town_build();
    state_size = town_state_size();
    assert_int_equal(state_size % 8, 0);
    unsigned char *start = malloc(state_size);
    for (unsigned i = 0; i < 2; i++)
        assert_non_null(states[i] = malloc(STATES_MAX * state_size));
    town_save(start);
    for (unsigned i = 0; i < sizeof starts / sizeof *starts; i++) {
        town_restore(start);
        explore(go(starts[i]));
    }
    print_message("%u states, %lu steps\n", n_nodes, n_steps);
    assert_int_equal(special_seen & (SPECIAL_LOAN | SPECIAL_ASKED | SPECIAL_RETURNED),
                     SPECIAL_LOAN | SPECIAL_ASKED | SPECIAL_RETURNED);
    assert_true(n_nodes > 20000);
    const status_t expected[] = {OK,     E_RIGHT, E_REVOKED,  E_DEAD, E_MORE,
                                 E_SLOT, E_BUSY,  E_OCCUPIED, E_STATE};
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!is_answered[-expected[i]])
            fail_msg("nobody ever got %s", status_name(expected[i]));
    free(start);
    free(states[0]);
    free(states[1]);
    world_start();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_interleaving_keeps_the_kernel_whole, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

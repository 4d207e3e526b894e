// SPDX-License-Identifier: MIT
// A small populated world for exploring: a client, a server that is a client too, a server, the
// VMM; every action that one of them may take; and the state between two actions, made canonical,
// saved and restored.
#pragma once

#include "test/unit/fake/kernel/world.h"

enum { TOWN_CLIENT, TOWN_MIDDLE, TOWN_SERVER, TOWN_VMM, TOWN_TASKS };

struct town {
    struct task *task[TOWN_TASKS];
    struct endpoint *back, *front; // the server's, the middle's
    uint64_t n_portals;            // places from the first in use
};

extern struct town town;

struct action {
    const char *name;
    unsigned actor;
    enum entry entry;
    enum syscall_number number;
    struct call call;
};

extern struct action town_action[];
extern unsigned n_town_actions;

// Starts a world and builds the town.
void town_build(void);

// Takes an action from a canonical state, whoever is ready besides its actor; false if the actor
// cannot act. The state is canonical again. *problem as for world_enter(); *status: what a system
// call answered, or BLOCKED.
bool town_act(const struct action *a, status_t *status, const char **problem);

// The bytes of a canonical state.
size_t town_state_size(void);
void town_save(unsigned char *state);
void town_restore(const unsigned char *state);

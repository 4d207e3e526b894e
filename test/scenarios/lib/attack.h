// SPDX-License-Identifier: MIT
// What the tasks of the scenario `hostile` have in common. The attack runs in sandboxes: clones of its
// task's space, each with a quota of its own, which end with all that was made on it when it is taken
// back. When an attack begins and ends is the judge's to say, who holds the task's calls until then.
#pragma once

#include "ipc/thread.h"

// What a task tells the judge with a call: word 0. The answer's word 0: 0 if it has to end.
enum attack_step {
    ATTACK_READY, // word 1: tasks that may want the CPU at once, at most
    ATTACK_ON,    // word 1: a status_t
    ATTACK_OFF,   // word 1: a status_t. Word 2: frames that are charged beyond those of before
};

// Slots of the controller and of whoever uses its program.
enum {
    ATTACK_GATE = SLOT_FREE, // the way to the judge
    ATTACK_SPACE,            // the sandboxes
    ATTACK_TASK = ATTACK_SPACE + 4,
    ATTACK_SLOTS = ATTACK_TASK + 4, // from here on they are the attack's own
};

#define ATTACK_SELF 62u // must be empty: the sandbox's SLOT_SELF, on its way

struct attack {
    void (*run)(uint64_t seed); // in a sandbox; it may return, which ends the task
    unsigned n_sandboxes;       // at most 4, each with another seed
    uint64_t quota;             // of one
    uint32_t n_tasks;           // that may want the CPU at once, at most
    // Steps of the controller's own before and after; NULL: none.
    status_t (*begin)(uint64_t seed);
    status_t (*end)(void);
};

// Attacks as often as the judge wants it; what main() answers.
uint64_t attack_main(const struct attack *attack, uint64_t seed);

// Starts `run` in a clone of the space that it is called in, on a stack of its own that all sandboxes
// have at the same address; the clone has an account of its own if `quota` is not 0. `parent` is
// copied to its SLOT_PARENT; 0: it gets none. Both slots must be empty, and are on failure.
must_check status_t attack_sandbox(void (*run)(uint64_t seed), uint64_t seed, uint64_t quota,
                                   slot_t parent, slot_t space, slot_t task);

// Ends a sandbox that has an account, with all that draws on it, and empties both slots.
must_check status_t attack_take_back(slot_t space, slot_t task);

// Lets `run` do what it likes in a sandbox on `quota` frames of this task's, and ends it after some
// turns of the CPU. Answers its exit code if it ended by itself, else 0.
uint64_t attack_round(void (*run)(uint64_t seed), uint64_t seed, uint64_t quota, slot_t space,
                      slot_t task);

// What this task's account pays for, once the VMM has heard of all that was dropped.
uint64_t attack_charged(void);

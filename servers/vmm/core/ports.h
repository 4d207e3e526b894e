// SPDX-License-Identifier: MIT
// All that the core asks of the world: the kernel's calls. Physical memory needs no function: frame
// p lies at `vm->offset + p` (see frame_at). Native ports invoke the kernel, the host's are fakes.
// `index` is a page of the object window, `slot` a capability slot of the VMM's own.
#pragma once

#include "ipc/status.h"
#include "ipc/types.h"

// The kernel's numbers; ports_native.c checks them against ipc/syscalls.h.
enum kernel_object { KERNEL_TASK = 1, KERNEL_ENDPOINT, KERNEL_PORTALS, KERNEL_SLOTS };
enum message_event {
    EVENT_CALL,
    EVENT_NOTIFICATION,
    EVENT_LAST_REFERENCE,
    EVENT_EXCEPTION,
    EVENT_EXIT,
    EVENT_PORTAL_UNUSED,
    EVENT_ENDPOINT_UNUSED,
};
#define PORTALS_IN_FRAME 100u
#define FLUSH_SPACES     1u // no root
#define SLOTS_FIRST      64u
#define SLOTS_IN_FRAME   250u
#define REFUSED_BY_OWN   1u // in the upper half of an exception's word 5: by the task's own pager
#define FAULT_SHIFT      20u // of the page, in what is told of a task by its fault's reply capability
#define PRIORITY_MAX     30u // of tasks; the kernel has one above it

// Slots that spawner and task agree on, and flags that let the holder do everything with a slot.
#define TASK_SLOT_PAGER   0u
#define TASK_SLOT_SELF    1u
#define TASK_SLOT_PARENT  2u
#define TASK_SLOT_CONSOLE 3u
#define TASK_SLOT_DEVICES 4u
#define SLOT_FLAGS_ALL    0xfu

// A task that the kernel is to make in the frame at `index`.
struct start {
    uint32_t index;
    uint32_t portal,
        self; // a new portal into the VMM's endpoint, with `badge`; one that was minted, or 0
    uint64_t badge;
    uint32_t parent,
        answer;   // slots: of what is moved into the task's TASK_SLOT_PARENT, or 0; for a
                  // capability to the new portal, or 0
    bool is_held; // it does not run yet
    paddr_t root;
    uint64_t priority; // up to PRIORITY_MAX
    vaddr_t rip, rsp;
    uint64_t arg;
};

struct ports {
    status_t (*object_create)(void *context, uint32_t index, enum kernel_object kind,
                              uint32_t slot);
    status_t (*object_destroy)(void *context, uint32_t index); // E_MORE: call again
    status_t (*task_start)(void *context, const struct start *start);
    status_t (*task_resume)(void *context, uint32_t task);
    status_t (*task_slots)(void *context, uint32_t task, uint32_t index);
    status_t (*task_pager)(void *context, uint32_t task, uint32_t send); // 0: the VMM again
    status_t (*slot_give)(void *context, uint32_t task, uint32_t slot, uint32_t send);
    status_t (*portal_mint)(void *context, uint32_t portal, uint32_t endpoint, uint64_t badge,
                            uint32_t slot, uint64_t flags);
    // Bits i of two words: the portals at places i and 64 + i; those that are dead stay so.
    status_t (*portals_revoke)(void *context, uint32_t index, uint64_t low, uint64_t high);
    status_t (*forward)(void *context, uint32_t reply, uint32_t portal);
    void (*drop)(void *context, uint32_t slot);                         // harmless if empty
    void (*reply)(void *context, uint32_t slot, const uint64_t *words); // harmless if nobody waits
    bool (*is_empty)(void *context, uint32_t slot);                     // who waited there has died
    // Pages 0: all of it. Root 0: the kernel's half. Root FLUSH_SPACES: all other spaces.
    void (*flush)(void *context, paddr_t root, vaddr_t va, uint64_t pages);
    void (*log)(void *context, const char *line);
    void (*power_off)(void *context, uint64_t code);
    void (*fail)(void *context, const char *line); // says why and ends the machine as failed
    const char *probe_start, *probe_end;           // the code of the probe, see probe_page.h
};

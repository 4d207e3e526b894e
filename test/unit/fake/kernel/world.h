// SPDX-License-Identifier: MIT
// A kernel that has just started task one, as kernel/main.c does, and ways to act on it: system
// calls of any task, exceptions, interrupts. After every entry the state is checked from scratch.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "test/unit/fake/kernel/fake_arch.h"

// What world_call() answers beside a status.
#define BLOCKED     1 // the caller does not run on: it waits, or is stopped
#define POWERED_OFF 2

#define VMM_SPARE      60u // the VMM's slot for what is on its way to somebody
#define UNMAPPED_INDEX (FAKE_FRAMES - 1)
#define TASK_RIP       0x400000ul

struct world {
    struct cpu cpu;
    struct task *vmm;
    struct task *resumed; // whom the last entry into the kernel went back to; NULL: nobody
    uint64_t portals;     // index of a frame of portals
    uint64_t next_index;  // frames from here on are free
    uint64_t next_portal; // places from here on are free
    bool may_listen;      // the console may hold a portal
};

extern struct world world;

enum entry { ENTRY_SYSCALL, ENTRY_FAULT, ENTRY_TIMER, ENTRY_SERIAL };

// What goes into the registers for a system call.
struct call {
    slot_t target, send, receive, reply;
    uint32_t flags;
    uint64_t w[MESSAGE_WORDS];
};

// cmocka's set-up and tear-down.
int world_setup(void **state);
int world_teardown(void **state);

// A power-on; what setup does.
void world_start(void);

// Makes a ready task the current one, as if the scheduler had come to it.
void world_switch(struct task *t);

// Puts a system call into t's registers.
void world_load(struct task *t, enum syscall_number number, const struct call *call);

// One entry into the kernel by the current task. False if it powered off. *problem: what the checks
// found, or NULL.
bool world_enter(enum entry entry, uint64_t address, const char **problem);

// A system call by `t`, which must be ready: its status, BLOCKED or POWERED_OFF.
status_t world_call(struct task *t, enum syscall_number number, struct call call);
#define SYS(t, name, ...) world_call(t, SYS_##name, (struct call){__VA_ARGS__})

// An exception of `t`, an interrupt; false if the machine powered off.
bool world_fault(struct task *t, unsigned vector, uint64_t error, uint64_t address);
void world_tick(void);
void world_input(const char *text);

// Through the machine's system calls: a task that never ran (its number is the frame's index), an
// endpoint in a slot of `owner`, who never ran or is the VMM, and likewise portals.
struct task *make_task(unsigned priority);
void start_task(struct task *t);
struct endpoint *make_endpoint(struct task *owner, slot_t slot);
uint64_t make_portal(struct task *holder, slot_t slot, struct endpoint *e, uint64_t badge);
void mint_portal(uint64_t number, struct task *holder, slot_t slot, struct endpoint *e,
                 uint64_t badge, uint32_t flags);
struct portal *portal_at(uint64_t number);

// A task at slot 0 of whom there is a portal with `badge` into the machine's endpoint.
void make_pager(struct task *t, uint64_t badge);

// A running server with an endpoint in slot 2 and clients with a portal each into it.
#define SERVER_ENDPOINT 2u
#define CLIENT_PORTAL   3u
#define REPLY_SLOT      10u
#define RECEIVE_SLOT    11u
#define BADGE(n)        (0x100u + (n))
#define CLIENTS         3u

struct service {
    struct task *server, *client[CLIENTS];
    struct endpoint *endpoint;
    uint64_t portal[CLIENTS]; // client n's, with BADGE(n)
};

struct service make_service(void);

// The server waits for a message, reply capability to REPLY_SLOT, a capability to RECEIVE_SLOT.
status_t receive(struct task *server);
status_t receive_poll(struct task *server);
status_t answer_poll(struct task *server, slot_t send);

// The VMM looks for a message, with the same slots.
status_t machine_poll(void);

// System calls of the machine that most tests need: one step of destroying, all steps, revoking.
status_t destroy_step(const void *object);
void destroy(const void *object);
void revoke(uint64_t portal);

#define MACHINE(name, ...) SYS(world.vmm, name, .target = SLOT_SELF, __VA_ARGS__)

#define assert_status(got, want) assert_status_at(got, want, __FILE__, __LINE__)
void assert_status_at(status_t got, status_t want, const char *file, int line);

// The result in t's registers is a message of that kind, badge and first word, with `flags`.
#define assert_message(t, kind, badge, w0, flags) \
    assert_message_at(t, MESSAGE_##kind, badge, w0, flags, __FILE__, __LINE__)
void assert_message_at(const struct task *t, enum message_kind kind, uint64_t badge, uint64_t w0,
                       uint64_t flags, const char *file, int line);

// A slot as the kernel has it.
struct slot *slot_of(struct task *t, slot_t number);

#define KERNEL_TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

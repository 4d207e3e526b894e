// SPDX-License-Identifier: MIT
// System call stubs for user mode. See ipc/syscalls.h for what each call does; a stub adds nothing
// but the register shuffle. All of them may be called from any task; errors come in the result.
#pragma once

#include "ipc/status.h"
#include "ipc/syscalls.h"
#include "ipc/types.h"

struct message {
    uint64_t w[MESSAGE_WORDS];
};

// What a call or a receive answers.
struct result {
    status_t status;        // of the system call itself
    enum message_kind kind; // of a received message
    bool got_cap;           // a capability landed in the slot named for it
    bool got_own;           // a capability into one's own endpoint came: `carried` is its badge
    bool got_object;        // (VMM) an endpoint came: `carried` is its window index
    bool wants_cap;         // the caller named a slot for a capability in the reply
    uint64_t badge;
    uint64_t carried;
    uint64_t word; // all but the badges as it came, RESULT_*
};

// One system call: `m` is sent and overwritten with what came back.
static inline struct result sys_invoke(uint64_t header, struct message *m)
{
    uint64_t badge, carried;
    register uint64_t rax __asm__("rax") = header;
    register uint64_t rdi __asm__("rdi") = m->w[0];
    register uint64_t rsi __asm__("rsi") = m->w[1];
    register uint64_t rdx __asm__("rdx") = m->w[2];
    register uint64_t r8 __asm__("r8") = m->w[3];
    register uint64_t r9 __asm__("r9") = m->w[4];
    register uint64_t r10 __asm__("r10") = m->w[5];
    register uint64_t rbx __asm__("rbx");
    register uint64_t r12 __asm__("r12");
    __asm__ volatile("syscall"
                     : "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r8), "+r"(r9), "+r"(r10),
                       "=r"(rbx), "=r"(r12)
                     :
                     : "rcx", "r11", "r13", "r14", "r15", "memory", "cc");
    badge = rbx;
    carried = r12;
    m->w[0] = rdi;
    m->w[1] = rsi;
    m->w[2] = rdx;
    m->w[3] = r8;
    m->w[4] = r9;
    m->w[5] = r10;
    return (struct result){
        .status = (status_t)(uint32_t)rax,
        .kind = (enum message_kind)((rax >> RESULT_KIND_SHIFT) & RESULT_KIND_MASK),
        .got_cap = rax & RESULT_CAP,
        .got_own = rax & RESULT_OWN,
        .got_object = rax & RESULT_OBJECT,
        .wants_cap = rax & RESULT_WANTS_CAP,
        .badge = badge,
        .carried = carried,
        .word = rax,
    };
}

// The same for a call that neither sends nor brings words.
static inline status_t sys_signal(uint64_t header)
{
    __asm__ volatile("syscall"
                     : "+a"(header)
                     :
                     : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "r15", "memory", "cc");
    return (status_t)(uint32_t)header;
}

// Calls `portal` with `m`; `send` (0: none) is copied along, `receive` (0: none) takes what comes.
static inline struct result ipc_call(slot_t portal, slot_t send, slot_t receive, struct message *m)
{
    return sys_invoke(sys_header(SYS_CALL, portal, send, receive, 0, 0), m);
}

// The same, but `send` (no receive right) is lent: whatever the server does with it, it is gone when
// this returns.
static inline struct result ipc_call_lending(slot_t portal, slot_t send, slot_t receive,
                                             struct message *m)
{
    return sys_invoke(sys_header(SYS_CALL, portal, send, receive, 0, SYS_LEND), m);
}

// Waits for a message; its reply capability lands in `reply`, a capability with it in `receive`.
static inline struct result ipc_receive(slot_t endpoint, slot_t receive, slot_t reply,
                                        struct message *m)
{
    *m = (struct message){0};
    return sys_invoke(sys_header(SYS_REPLY_RECV, endpoint, 0, receive, reply, 0), m);
}

// Answers the caller in `reply` with `m` and with a copy of `send`, then waits as ipc_receive does.
static inline struct result ipc_reply_receive(slot_t endpoint, slot_t send, slot_t receive,
                                              slot_t reply, struct message *m)
{
    return sys_invoke(sys_header(SYS_REPLY_RECV, endpoint, send, receive, reply, SYS_REPLY), m);
}

// Answers the caller in `reply` with `m` and with a copy of `send` (0: none), and goes on. On
// failure the caller still waits.
static inline status_t ipc_reply(slot_t reply, slot_t send, struct message *m)
{
    return sys_invoke(sys_header(SYS_REPLY_RECV, 0, send, 0, reply, SYS_REPLY), m).status;
}

static inline status_t ipc_notify(slot_t portal)
{
    return sys_signal(sys_header(SYS_NOTIFY, portal, 0, 0, 0, 0));
}

// Hands the caller in `reply` on to the server behind `portal`, with `m` as its message.
static inline status_t ipc_forward(slot_t reply, slot_t portal, struct message *m)
{
    return sys_invoke(sys_header(SYS_FORWARD, portal, 0, 0, reply, 0), m).status;
}

// Waits for the endpoint's notification word; *word is written on success only.
status_t ipc_wait(slot_t endpoint, uint64_t *word);

// Empties a slot, however many steps it takes.
status_t ipc_drop(slot_t slot);

void ipc_yield(void);
_Noreturn void ipc_exit(uint64_t code);

// Prints up to the NUL; a line appears as a whole once its '\n' was written.
void log_text(const char *text);

// A small printf on log_text: %s %c %d %u %x %lu %lx %ld %% and a width with 0 or -. Lines up to
// 200 bytes.
void log_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

// SPDX-License-Identifier: MIT
// The kernel's system calls: numbers, the header word, flags and message kinds.
//
// Registers.   in: RAX header, RDI RSI RDX R8 R9 R10 the six words.
//             out: RAX result, RBX badge, R12 carried badge, RDI RSI RDX R8 R9 R10 the six words.
// RSP, RBP and RFLAGS are kept; every other register comes back zero (RCX and R11 hold RIP and
// RFLAGS, as SYSRET leaves them; where no message comes, R12 to R15 may be as they were). FPU state
// is kept. A system call that fails answers its status and zero words.
//
// Header word: flags | target slot | slot of the capability sent | slot for one that may come |
// reply slot | mask | number. A call of a low slot that names nothing else is its slot times 16, which
// is where the kernel finds that slot. Slot 0 means "none": it holds the task's pager and has no name.
#pragma once

#include <stdint.h>

// Any task.
//   CALL        target: portal (call flag). Sends the words and at most one capability, waits for
//               the reply. `receive` names an empty slot for a capability in the reply. SYS_LEND of
//               a receive right is E_INVAL.
//   REPLY_RECV  target: endpoint. With SYS_REPLY: answers the caller in the reply slot first. Then
//               waits; the next caller's reply capability lands in the (then empty) reply slot.
//               Target 0 with SYS_REPLY: only answers, and goes on. E_MORE and, with SYS_POLL, E_BUSY
//               come after the answer was given: receive again.
//   FORWARD     reply slot: reply capability; target: portal. Hands the caller on, with these words
//               as its message; an exception or an exit keeps its own. An exception that was handed on
//               goes on if word 0 of the reply is 0; if not, or when the reply capability is dropped or
//               the portal dies, it comes to the VMM again, word 5 being that status. To the VMM no
//               exception is handed on: E_INVAL.
//   NOTIFY      target: portal (notify flag). ORs the badge into the endpoint's word; never waits.
//   DROP        target: any slot.
//   YIELD       gives up the CPU to another ready task of the same priority.
//   EXIT        word 0: code. The pager is told; does not return.
//   LOG         48 bytes in the words, up to the first NUL. Printed when the line is complete; what
//               is no printable ASCII or tab, as "?".
//               E_MORE: the serial line is behind and nothing was taken; again.
//   WAIT        target: endpoint. Waits for its notification word alone, returns and clears it.
// Holder of the console capability (target slot).
//   CONSOLE_READ    up to 48 bytes of serial input in the words; how many: in RBX, as a badge.
//                   Word 0: slot of a portal to notify when input comes and none is there; 0: none.
// Holder of the machine capability (target slot). `index` is a page of the object window in which
// the VMM has mapped the frame it donates; an index with no frame behind it answers E_FAULT.
//                   words
//   OBJECT_CREATE   index, kind, slot     makes an endpoint or portals in the donated frame, whose
//                                         first word is zero; a receive right lands in `slot`
//   OBJECT_DESTROY  index                 E_MORE until done; then the frame is the VMM's again
//   TASK_START      three words packed as below, rip, rsp, arg      makes a task in a donated frame and
//                   lets it run, or not yet with SYS_HOLD. A new portal into the machine's endpoint is
//                   its pager, and lands in the slot `receive` too; it gets one reference more of a live
//                   portal in its SLOT_SELF, and what is in the slot `send` in its SLOT_PARENT. All of
//                   that (but the task) may be 0, for none
//                       word 0: index | priority << 24 | portal for SLOT_SELF << 32
//                       word 1: frame number of the root | new portal << 32
//                       word 2: the new portal's badge
//   TASK_BIND       task, root, priority, fs_base   before it first runs, or while it is stopped
//   TASK_STOP       task                  E_STATE unless it is ready
//   TASK_RESUME     task                  lets a stopped task go on, or one that was held begin
//   TASK_SLOTS      task, index           gives the task a frame of further slots
//   TASK_PAGER      task                  its page faults go through the portal sent, which is moved
//                                         there, and not to the VMM; without one, to the VMM. E_SLOT,
//                                         E_RIGHT: no portal, or not to be called and moved. E_INVAL:
//                                         one of the VMM's. E_STATE: the task is being destroyed
//   SLOT_GIVE       task, slot            moves the capability sent into a task that never ran
//   PORTAL_MINT     portal, endpoint, badge, slot, flags   the caller's slot gets the portal
//   PORTAL_REVOKE   index, low, high      dead at once, everywhere: the portals of the frame at places
//                                         i and 64 + i for bits i of the words; others that are dead
//                                         do not matter. E_MORE: call again
//   FLUSH           root, va, pages       pages 0: all of the space; root 0: the kernel's half;
//                                         root FLUSH_ALL_SPACES: all but the kernel's half
//   POWER_OFF       code                  ends the machine
// clang-format off
#define SYSCALL_LIST(X)                                                                        \
    X(CALL) X(REPLY_RECV) X(FORWARD) X(NOTIFY) X(DROP) X(YIELD) X(EXIT) X(LOG) X(WAIT)         \
    X(CONSOLE_READ)                                                                            \
    X(OBJECT_CREATE) X(OBJECT_DESTROY) X(TASK_START) X(TASK_BIND) X(TASK_STOP) X(TASK_RESUME)  \
    X(TASK_SLOTS) X(TASK_PAGER) X(SLOT_GIVE) X(PORTAL_MINT) X(PORTAL_REVOKE) X(FLUSH)          \
    X(POWER_OFF)
// clang-format on

#define SYSCALL_ENUM(name) SYS_##name,
enum syscall_number { SYSCALL_LIST(SYSCALL_ENUM) SYS_COUNT };
#undef SYSCALL_ENUM

typedef uint32_t slot_t; // number of a capability slot; 0 names none

#define SLOT_BITS 12
#define SLOT_MAX  ((1u << SLOT_BITS) - 1)

// Flags of the header word (bits 0..3; the mask in bits 52..55).
#define SYS_MOVE     0x01u // move the capability sent; without it, it is copied
#define SYS_REPLY    0x02u // REPLY_RECV: answer the reply slot first
#define SYS_POLL     0x04u // REPLY_RECV, WAIT: E_BUSY instead of waiting; a reply was given
#define SYS_LEND     0x08u // CALL: the capability sent goes away with the reply; not to be passed on
#define SYS_HOLD     0x02u                 // TASK_START: it does not run yet
#define SYS_MASK(fl) ((uint32_t)(fl) << 4) // SLOT_* flags that the receiver does not get

// Flags of a slot: what its holder may do with the capability in it.
#define SLOT_CALL   0x1u
#define SLOT_NOTIFY 0x2u
#define SLOT_COPY   0x4u
#define SLOT_MOVE   0x8u
#define SLOT_ALL    0xfu

static inline uint64_t sys_header(enum syscall_number number, slot_t target, slot_t send,
                                  slot_t receive, slot_t reply, uint32_t flags)
{
    return (flags & 0xfu) | (uint64_t)target << 4 | (uint64_t)send << 16 | (uint64_t)receive << 28 |
           (uint64_t)reply << 40 | (uint64_t)(flags >> 4) << 52 | (uint64_t)number << 56;
}

// The result word of a successful call or receive: status in bits 0..31 (signed), then
#define RESULT_KIND_SHIFT 32
#define RESULT_KIND_MASK  0xffull
// To the machine's holder RESULT_CAP tells the number of a portal in R12, and RESULT_OBJECT the index of
// an endpoint; or of the task in whose exception's reply capability was sent, and above it, from
// FAULT_PAGE_SHIFT on, the page of a page fault's address: that is only shown, and stays with the sender
// (though SYS_MOVE must be said).
#define RESULT_CAP        (1ull << 40) // a capability landed in the slot named for it
#define RESULT_OWN        (1ull << 41) // a capability into one's own endpoint: its badge is in R12
#define RESULT_OBJECT     (1ull << 42)
#define REFUSED_FIRST     (1ull << 32) // see EXCEPTION
#define FAULT_PAGE_SHIFT  20
#define RESULT_WANTS_CAP  (1ull << 43) // the caller named a slot: a reply may carry a capability

// What a receive brought.
//   CALL           badge, six words; the reply slot holds the reply capability
//   NOTIFICATION   word 0: the OR of the badges since the last one; nobody waits
//   LAST_REFERENCE badge; word 0: portal. The last slot of that portal is gone
//   EXCEPTION      from a task's pager portal: words vector, error code, address, RIP, RSP, and why it
//                  was not served before: 0: nobody was asked; a status_t: by the pager to whom the
//                  VMM handed it on; REFUSED_FIRST | its low 32 bits: by the task's own pager, which
//                  is asked before the VMM (TASK_PAGER), and answers as one to whom it is handed on;
//                  a call
//   EXIT           from a task's pager portal: word 0 code; a call whose reply is E_STATE
//   PORTAL_UNUSED  to the machine's endpoint: word 0 portal. Nobody refers to it any more
//   ENDPOINT_UNUSED  to the machine's endpoint: word 0 index. Its last receive right is gone
#define MESSAGE_KIND_LIST(X) \
    X(CALL)                  \
    X(NOTIFICATION) X(LAST_REFERENCE) X(EXCEPTION) X(EXIT) X(PORTAL_UNUSED) X(ENDPOINT_UNUSED)

#define MESSAGE_KIND_ENUM(name) MESSAGE_##name,
enum message_kind { MESSAGE_KIND_LIST(MESSAGE_KIND_ENUM) };
#undef MESSAGE_KIND_ENUM

// Kinds of kernel objects that live in donated frames.
enum object_kind { OBJECT_NONE, OBJECT_TASK, OBJECT_ENDPOINT, OBJECT_PORTALS, OBJECT_SLOTS };

// A portal's number is the window index of its frame times this, plus its place in the frame.
#define PORTALS_PER_FRAME 100u

// Slots that the kernel and the spawner agree on.
#define SLOT_SELF    1u // a task's own space, or, in the VMM, the machine capability
#define SLOT_PARENT  2u // a portal to its spawner, or, in the VMM, its endpoint
#define SLOT_CONSOLE 3u // the VMM's console capability, which it hands to init
#define SLOT_DEVICES 4u // in init, the space of device memory
#define SLOT_FREE    8u // the first slot that a program may use as it likes

#define START_PRIORITY_SHIFT 24 // of word 0 of TASK_START
#define START_INDEX_MASK     ((1u << START_PRIORITY_SHIFT) - 1)

#define FLUSH_ALL_SPACES 1u // no root's address

#define PRIORITIES       32u // 0 is the lowest
#define PRIORITY_DEFAULT 8u
#define LOG_BYTES        48u

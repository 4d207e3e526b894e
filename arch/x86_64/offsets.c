// SPDX-License-Identifier: MIT
// Proves arch/offsets.h. Holds no code.
#include "arch/offsets.h"

#include "kernel/cpu.h"
#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "kernel/sched.h"
#include "kernel/task.h"

#define CHECK(number, type, field) _Static_assert(offsetof(struct type, field) == (number), #number)

CHECK(CPU_SELF, cpu, self);
CHECK(CPU_CURRENT, cpu, current);
CHECK(CPU_STACK_TOP, cpu, stack_top);
CHECK(CPU_PAYER, cpu, payer);
CHECK(CPU_READY_MASK, cpu, ready_mask);
CHECK(CPU_TOP, cpu, top);
CHECK(CPU_TSS_RSP0, cpu, arch.tss.rsp);
CHECK(CPU_READY, cpu, ready);

CHECK(TASK_STATE, task, state);
CHECK(TASK_RECEIVE, task, receive);
_Static_assert(TASK_RECEIVE == TASK_STATE + 2 && TASK_PRIORITY == TASK_STATE + 4 &&
                   offsetof(struct task, reserved) == TASK_STATE + 1,
               "state and receive are one word, with nothing between that counts");
CHECK(TASK_PRIORITY, task, priority);
CHECK(TASK_EFFECTIVE, task, effective);
CHECK(TASK_SLICE, task, slice);
CHECK(TASK_SPECIAL, task, special);
CHECK(TASK_LINK, task, link);
CHECK(TASK_REGISTERS, task, regs);
CHECK(TASK_RAX, task, regs.rax);
CHECK(TASK_RBP, task, regs.rbp);
CHECK(TASK_VECTOR, task, regs.vector);
CHECK(TASK_ERROR, task, regs.error);
CHECK(TASK_RIP, task, regs.rip);
CHECK(TASK_RFLAGS, task, regs.rflags);
CHECK(TASK_RSP, task, regs.rsp);
CHECK(TASK_REGISTERS_END, task, header);
CHECK(TASK_REPLY_SLOT, task, reply_slot);
CHECK(TASK_FAULT_ADDRESS, task, fault_address);
CHECK(TASK_ROOT, task, root);
CHECK(TASK_ENDPOINT, task, endpoint);
CHECK(TASK_REPLY_INTO, task, reply_into);
CHECK(TASK_RECEIVE_INTO, task, receive_into);
CHECK(TASK_LOOP_HEADER, task, loop_header);
CHECK(TASK_LOOP_AFTER, task, loop_after);
CHECK(TASK_PAGER, task, pager);
CHECK(TASK_SLOTS, task, slots);
_Static_assert(ASKED_EXCEPTION == (SPECIAL_EXCEPTION | SPECIAL_FORWARDED | SPECIAL_ASKED),
               "a fault at a task's own pager");

_Static_assert(SYS_CALL == 0 && NUMBER_REPLY_RECV == SYS_REPLY_RECV &&
                   NUMBER_NOTIFY == SYS_NOTIFY && NUMBER_DROP == SYS_DROP &&
                   NUMBER_YIELD == SYS_YIELD && NUMBER_FLUSH == SYS_FLUSH &&
                   NUMBER_COUNT == SYS_COUNT && MOVE == SYS_MOVE,
               "system calls");
_Static_assert(FLUSH_LAST == FLUSH_ALL_SPACES, "roots of no space");
_Static_assert(ANSWER_NOSYS == E_NOSYS && ANSWER_SLOT == E_SLOT, "statuses");
_Static_assert(RESULT_EXCEPTION == (uint64_t)MESSAGE_EXCEPTION << RESULT_KIND_SHIFT &&
                   RESULT_NOTIFICATION == (uint64_t)MESSAGE_NOTIFICATION << RESULT_KIND_SHIFT &&
                   RESULT_WITH_CAP == RESULT_CAP && RESULT_CAP >> RESULT_CAP_BIT == 1 &&
                   RESULT_OWN >> RESULT_OWN_BIT == 1 && RESULT_WANTS == RESULT_WANTS_CAP,
               "results");
_Static_assert(STATE_READY == TASK_READY && STATE_ANSWER == TASK_ANSWER &&
                   STATE_RECEIVING == TASK_RECEIVING && EXCEPTION == SPECIAL_EXCEPTION,
               "states");
_Static_assert(TYPE_EMPTY == SLOT_EMPTY && TYPE_PORTAL == SLOT_PORTAL && TYPE_REPLY == SLOT_REPLY &&
                   TYPE_MACHINE == SLOT_MACHINE && FLAG_CALL == SLOT_CALL &&
                   FLAG_NOTIFY == SLOT_NOTIFY && FLAG_COPY == SLOT_COPY && FLAG_MOVE == SLOT_MOVE,
               "slots");
_Static_assert(IDLE == STANDING_IDLE && PENDING == STANDING_PENDING && CROWDED == STANDING_CROWDED,
               "where an endpoint stands");
_Static_assert(SYSCALL_VECTOR == VECTOR_SYSCALL && YIELD_VECTOR == VECTOR_YIELD &&
                   PAGE_FAULT_VECTOR == VECTOR_PAGE_FAULT && TICKS == SLICE_TICKS,
               "how a task goes on");
CHECK(SLOT_TYPE, slot, type);
_Static_assert(offsetof(struct slot, flags) == SLOT_TYPE + 1, "type and flags are one word");
CHECK(SLOT_FLAGS, slot, flags);
CHECK(SLOT_LENDER, slot, lender);
_Static_assert(sizeof(struct slot) == 16, "a plain call's header is the offset of its slot");
CHECK(PORTAL_ENDPOINT, portal, endpoint);
CHECK(PORTAL_BADGE, portal, badge);
CHECK(PORTAL_REFS, portal, refs);
CHECK(ENDPOINT_RECEIVER, endpoint, receiver);
CHECK(ENDPOINT_RECEIVERS, endpoint, receivers);
CHECK(ENDPOINT_WAITERS, endpoint, waiters);
CHECK(ENDPOINT_WORD, endpoint, word);
CHECK(ENDPOINT_IS_NOTIFIED, endpoint, is_notified);
CHECK(ENDPOINT_REPORTS_FIRST, endpoint, reports_first);
CHECK(ENDPOINT_REFS, endpoint, refs);

// SPDX-License-Identifier: MIT
// Proves arch/offsets.h. Holds no code.
#include "arch/offsets.h"

#include "kernel/cpu.h"
#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "kernel/task.h"

#define CHECK(number, type, field) _Static_assert(offsetof(struct type, field) == (number), #number)

CHECK(CPU_SELF, cpu, self);
CHECK(CPU_CURRENT, cpu, current);
CHECK(CPU_STACK_TOP, cpu, stack_top);
CHECK(CPU_PAYER, cpu, payer);
CHECK(CPU_READY_MASK, cpu, ready_mask);
CHECK(CPU_ROOT, cpu, arch.root);
CHECK(CPU_TSS_RSP0, cpu, arch.tss.rsp);

CHECK(TASK_STATE, task, state);
CHECK(TASK_PRIORITY, task, priority);
CHECK(TASK_EFFECTIVE, task, effective);
CHECK(TASK_SLICE, task, slice);
CHECK(TASK_SPECIAL, task, special);
CHECK(TASK_LINK, task, link);
CHECK(TASK_REGISTERS, task, regs);
CHECK(TASK_VECTOR, task, regs.vector);
CHECK(TASK_RIP, task, regs.rip);
CHECK(TASK_RFLAGS, task, regs.rflags);
CHECK(TASK_RSP, task, regs.rsp);
CHECK(TASK_REGISTERS_END, task, header);
CHECK(TASK_HEADER, task, header);
CHECK(TASK_REPLY_SLOT, task, reply_slot);
CHECK(TASK_EVENT_KIND, task, event.kind);
CHECK(TASK_ROOT, task, root);
CHECK(TASK_REPLY_INTO, task, reply_into);
CHECK(TASK_LOOP_HEADER, task, loop_header);
CHECK(TASK_LOOP_ENDPOINT, task, loop_endpoint);
CHECK(TASK_LOOP_RECEIVE, task, loop_receive);
CHECK(TASK_SLOTS, task, slots);

_Static_assert(SYS_CALL == 0 && SYS_REPLY_RECV == 1, "entry.S");
_Static_assert(STATE_READY == TASK_READY && STATE_ANSWER == TASK_ANSWER &&
                   STATE_RECEIVING == TASK_RECEIVING,
               "states");
_Static_assert(TYPE_EMPTY == SLOT_EMPTY && TYPE_PORTAL == SLOT_PORTAL &&
                   TYPE_ENDPOINT == SLOT_ENDPOINT && TYPE_REPLY == SLOT_REPLY,
               "slot types");
CHECK(SLOT_TYPE, slot, type);
_Static_assert(offsetof(struct slot, flags) == SLOT_TYPE + 1, "type and flags are one word");
CHECK(PORTAL_ENDPOINT, portal, endpoint);
CHECK(PORTAL_BADGE, portal, badge);
CHECK(ENDPOINT_SENDERS, endpoint, senders);
CHECK(ENDPOINT_RECEIVERS, endpoint, receivers);
CHECK(ENDPOINT_REPORTS, endpoint, reports);
CHECK(ENDPOINT_IS_NOTIFIED, endpoint, is_notified);

// SPDX-License-Identifier: MIT
#include "arch/power.h"
#include "boot/handoff.h"
#include "core/window.h"
#include "ipc/ipc.h"
#include "native.h"
#include "servers/vmm/probe.h"

_Static_assert(KERNEL_TASK == (int)OBJECT_TASK && KERNEL_ENDPOINT == (int)OBJECT_ENDPOINT &&
                   KERNEL_PORTALS == (int)OBJECT_PORTALS && KERNEL_SLOTS == (int)OBJECT_SLOTS,
               "kinds of kernel objects");
_Static_assert(EVENT_CALL == (int)MESSAGE_CALL && EVENT_EXCEPTION == (int)MESSAGE_EXCEPTION &&
                   EVENT_ENDPOINT_UNUSED == (int)MESSAGE_ENDPOINT_UNUSED,
               "kinds of messages");
_Static_assert(PORTALS_IN_FRAME == PORTALS_PER_FRAME && SLOT_FLAGS_ALL == SLOT_ALL &&
                   FLUSH_SPACES == FLUSH_ALL_SPACES && FAULT_SHIFT == FAULT_PAGE_SHIFT &&
                   REFUSED_BY_OWN == REFUSED_FIRST >> 32,
               "numbers of the kernel's");
_Static_assert(PRIORITY_MAX == PRIORITIES - 2, "no task has the highest priority");
_Static_assert(VMM_SLOT_MACHINE == (int)SLOT_SELF && VMM_SLOT_ENDPOINT == (int)SLOT_PARENT &&
                   VMM_SLOT_CONSOLE == (int)SLOT_CONSOLE,
               "what the kernel gives the VMM");
_Static_assert(TASK_SLOT_SELF == SLOT_SELF && TASK_SLOT_PARENT == SLOT_PARENT &&
                   TASK_SLOT_CONSOLE == SLOT_CONSOLE && TASK_SLOT_DEVICES == SLOT_DEVICES,
               "what a task finds in its slots");
_Static_assert(VMM_OBJECT_TASK == (int)BOOT_OBJECT_VMM_TASK &&
                   VMM_OBJECT_ENDPOINT == (int)BOOT_OBJECT_VMM_ENDPOINT,
               "what boot put into the object window");

static status_t machine(enum syscall_number number, slot_t send, struct message m)
{
    return sys_invoke(sys_header(number, VMM_SLOT_MACHINE, send, 0, 0, 0), &m).status;
}

static status_t object_create_call(void *context, uint32_t index, enum kernel_object kind,
                                   uint32_t slot)
{
    (void)context;
    return machine(SYS_OBJECT_CREATE, 0, (struct message){{index, kind, slot}});
}

static status_t object_destroy_call(void *context, uint32_t index)
{
    (void)context;
    return machine(SYS_OBJECT_DESTROY, 0, (struct message){{index}});
}

static status_t task_start(void *context, const struct start *s)
{
    (void)context;
    struct message m = {{
        s->index | s->priority << START_PRIORITY_SHIFT | (uint64_t)s->self << 32,
        s->root >> PAGE_SHIFT | (uint64_t)s->portal << 32,
        s->badge,
        s->rip,
        s->rsp,
        s->arg,
    }};
    uint64_t header = sys_header(SYS_TASK_START, VMM_SLOT_MACHINE, s->parent, s->answer, 0,
                                 s->is_held ? SYS_HOLD : 0);
    return sys_invoke(header, &m).status;
}

static status_t task_resume(void *context, uint32_t task)
{
    (void)context;
    return machine(SYS_TASK_RESUME, 0, (struct message){{task}});
}

static status_t task_slots(void *context, uint32_t task, uint32_t index)
{
    (void)context;
    return machine(SYS_TASK_SLOTS, 0, (struct message){{task, index}});
}

static status_t task_pager(void *context, uint32_t task, uint32_t send)
{
    (void)context;
    return machine(SYS_TASK_PAGER, send, (struct message){{task}});
}

static status_t slot_give(void *context, uint32_t task, uint32_t slot, uint32_t send)
{
    (void)context;
    return machine(SYS_SLOT_GIVE, send, (struct message){{task, slot}});
}

static status_t portal_mint_call(void *context, uint32_t portal, uint32_t endpoint, uint64_t badge,
                                 uint32_t slot, uint64_t flags)
{
    (void)context;
    return machine(SYS_PORTAL_MINT, 0, (struct message){{portal, endpoint, badge, slot, flags}});
}

static status_t revoke_set(uint32_t index, uint64_t low, uint64_t high)
{
    status_t status;
    do {
        status = machine(SYS_PORTAL_REVOKE, 0, (struct message){{index, low, high}});
    } while (status == E_MORE);
    return status;
}

// In two calls: each looks again at those that are dead already, with interrupts off.
static status_t portals_revoke(void *context, uint32_t index, uint64_t low, uint64_t high)
{
    (void)context;
    status_t status = low ? revoke_set(index, low, 0) : OK;
    return status == OK && high ? revoke_set(index, 0, high) : status;
}

// An exception keeps its own words.
static status_t forward(void *context, uint32_t reply, uint32_t portal)
{
    (void)context;
    struct message m = {{0}};
    return ipc_forward(reply, portal, &m);
}

static void drop(void *context, uint32_t slot)
{
    (void)context;
    (void)ipc_drop(slot); // it may be empty
}

// Without an endpoint this only replies. A waiter that died meanwhile has left the slot empty.
static void reply(void *context, uint32_t slot, const uint64_t *words)
{
    (void)context;
    struct message m;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        m.w[i] = words[i];
    sys_invoke(sys_header(SYS_REPLY_RECV, 0, 0, 0, slot, SYS_REPLY), &m);
}

// A receive wants an empty slot for the next reply capability, and looks at that first; it goes no
// further, for it names no endpoint.
static bool is_empty(void *context, uint32_t slot)
{
    (void)context;
    struct message m = {{0}};
    return sys_invoke(sys_header(SYS_REPLY_RECV, 0, 0, 0, slot, 0), &m).status != E_OCCUPIED;
}

static void flush(void *context, paddr_t root, vaddr_t va, uint64_t pages)
{
    (void)context;
    (void)machine(SYS_FLUSH, 0, (struct message){{root, va, pages}});
}

static void log_line(void *context, const char *line)
{
    (void)context;
    log_text(line);
    log_text("\n");
}

static void power_off_call(void *context, uint64_t code)
{
    (void)context;
    (void)machine(SYS_POWER_OFF, 0, (struct message){{code}});
}

static void fail(void *context, const char *line)
{
    log_line(context, line);
    power_off_call(context, POWER_FAILURE);
}

const struct ports native_ports = {
    .object_create = object_create_call,
    .object_destroy = object_destroy_call,
    .task_start = task_start,
    .task_resume = task_resume,
    .task_slots = task_slots,
    .task_pager = task_pager,
    .slot_give = slot_give,
    .portal_mint = portal_mint_call,
    .portals_revoke = portals_revoke,
    .forward = forward,
    .drop = drop,
    .reply = reply,
    .is_empty = is_empty,
    .flush = flush,
    .log = log_line,
    .power_off = power_off_call,
    .fail = fail,
    .probe_start = probe_start,
    .probe_end = probe_end,
};

_Noreturn void native_fail(const char *what, status_t status)
{
    log_format("vmm: %s: %s\n", what, status_text(status));
    for (;;)
        power_off_call(NULL, POWER_FAILURE);
}

static enum carried carried_of(uint64_t word)
{
    if (!(word & (RESULT_OWN | RESULT_OBJECT | RESULT_CAP)))
        return CARRIED_NONE;
    return word & RESULT_OWN ? CARRIED_BADGE : word & RESULT_OBJECT ? CARRIED_OBJECT : CARRIED_SLOT;
}

// What came, as a request: mostly a call with nothing but words.
static void request_fill(struct request *r, const struct result *result, const struct message *m)
{
    r->event = EVENT_CALL;
    r->carried = CARRIED_NONE;
    r->wants_cap = false;
    if (result->word) {
        r->event = (enum message_event)(result->word >> RESULT_KIND_SHIFT & RESULT_KIND_MASK);
        r->carried = carried_of(result->word);
        r->wants_cap = result->word & RESULT_WANTS_CAP;
    }
    r->badge = result->badge;
    r->carried_value = result->carried;
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        r->words[i] = m->w[i];
}

void native_receive(struct vmm *vm, struct request *r)
{
    struct message m;
    struct result result;
    do {
        result = ipc_receive(VMM_SLOT_ENDPOINT, vm->state->receive_slot, vm->state->reply_slot, &m);
    } while (result.status == E_MORE);
    if (result.status != OK)
        native_fail("receive", result.status);
    request_fill(r, &result, &m);
}

// A reply that cannot be given has changed nothing: once more as an error, and if nobody is there
// to hear that either, not at all.
void native_reply_receive(struct vmm *vm, struct request *r)
{
    struct message m;
    uint32_t reply_slot = vm->state->reply_slot;
    uint64_t header = sys_header(SYS_REPLY_RECV, VMM_SLOT_ENDPOINT, 0, vm->state->receive_slot,
                                 reply_slot, SYS_REPLY);
    if (r->gives_cap)
        header |= sys_header(SYS_REPLY_RECV, 0, VMM_SLOT_ANSWER, 0, 0, SYS_MOVE);
    for (unsigned i = 0; i < MESSAGE_WORDS; i++)
        m.w[i] = r->answer[i];
    struct result result = sys_invoke(header, &m);
    if (result.status == OK) {
        request_fill(r, &result, &m);
        return;
    }
    if (result.status != E_MORE) {
        const uint64_t words[MESSAGE_WORDS] = {(uint64_t)(int64_t)result.status};
        if (r->gives_cap)
            drop(NULL, VMM_SLOT_ANSWER);
        reply(NULL, reply_slot, words);
        drop(NULL, reply_slot);
    }
    native_receive(vm, r);
}

// SPDX-License-Identifier: MIT
#include "test/scenarios/lib/touch.h"

#include "ipc/thread.h"

typedef void touch_code_t(uint64_t va);

touch_code_t touch_read, touch_write, touch_execute, touch_await, touch_count; // touch_code.S

_Static_assert(TOUCH_EXIT_HEADER == (uint64_t)SYS_EXIT << 56,
               "what the assembler loads is EXIT's header");

static const struct {
    touch_code_t *code;
    const char *name;
    uint32_t error; // of a page fault
} kinds[] = {
    [TOUCH_READ] = {touch_read, "read", 0},
    [TOUCH_WRITE] = {touch_write, "write", FAULT_WRITE},
    [TOUCH_EXECUTE] = {touch_execute, "execute", FAULT_FETCH},
    [TOUCH_AWAIT] = {touch_await, "await", 0},
    [TOUCH_COUNT] = {touch_count, "count", FAULT_WRITE},
};

vaddr_t touch_code(enum touch_kind kind)
{
    return (vaddr_t)kinds[kind].code;
}

status_t touch_prepare(slot_t space)
{
    vaddr_t page = touch_code(TOUCH_READ) & ~PAGE_MASK;
    return vmm_share(SLOT_SELF, page, 1, space, page, PROT_R | PROT_X);
}

static status_t start(slot_t space, enum touch_kind kind, vaddr_t va, uint64_t word, uint32_t flags,
                      slot_t into)
{
    struct message m = {
        {vmm_word0(VMM_SPAWN, flags), touch_code(kind), word, va, PRIORITY_DEFAULT}};
    struct result result = ipc_call(space, 0, into, &m);
    return result.status != OK ? result.status : (status_t)m.w[0];
}

status_t touch_start(slot_t space, enum touch_kind kind, vaddr_t va, uint64_t word, slot_t into)
{
    return start(space, kind, va, word, 0, into);
}

status_t touch(slot_t space, enum touch_kind kind, vaddr_t va, uint64_t word, struct vmm_exit *end)
{
    status_t status = start(space, kind, va, word, SPAWN_FRAGILE, TOUCH_SLOT);
    return status == OK ? thread_end(TOUCH_SLOT, end) : status;
}

// Answers `is_met`, and tells how a touch ended that met something else.
static bool tell(bool is_met, enum touch_kind kind, vaddr_t va, status_t status,
                 const struct vmm_exit *end)
{
    if (is_met)
        return true;
    if (status != OK)
        log_format("# %s 0x%lx: %s\n", kinds[kind].name, va, status_name(status));
    else if (end->kind == EXIT_FAULT)
        log_format("# %s 0x%lx: vector %lu, error 0x%x, address 0x%lx, rip 0x%lx\n",
                   kinds[kind].name, va, end->code, end->error, end->address, end->rip);
    else
        log_format("# %s 0x%lx: ends with 0x%lx\n", kinds[kind].name, va, end->code);
    return false;
}

static bool succeeds(slot_t space, enum touch_kind kind, vaddr_t va, uint64_t word, uint64_t code)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = touch(space, kind, va, word, &end);
    bool is_met = status == OK && end.kind == EXIT_NORMAL && end.code == code;
    return tell(is_met, kind, va, status, &end);
}

bool touch_reads(slot_t space, vaddr_t va, uint64_t word)
{
    return succeeds(space, TOUCH_READ, va, 0, word);
}

bool touch_writes(slot_t space, vaddr_t va, uint64_t word)
{
    return succeeds(space, TOUCH_WRITE, va, word, va);
}

bool touch_executes(slot_t space, vaddr_t va)
{
    return succeeds(space, TOUCH_EXECUTE, va, 0, va);
}

bool touch_faults(slot_t space, enum touch_kind kind, vaddr_t va)
{
    struct vmm_exit end = {.kind = EXIT_KILLED};
    status_t status = touch(space, kind, va, 0, &end);
    vaddr_t rip = kind == TOUCH_EXECUTE ? va : touch_code(kind);
    bool is_met = status == OK && end.kind == EXIT_FAULT && end.code == VECTOR_PAGE &&
                  end.address == va && end.rip == rip &&
                  (end.error & ~FAULT_PRESENT) == (FAULT_USER | kinds[kind].error);
    return tell(is_met, kind, va, status, &end);
}

// SPDX-License-Identifier: MIT
// Memory of a space touched by a task in it: write, read, exec.
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/command.h"
#include "test/scenarios/shell/shell/probe.h"

static uint8_t buffer[READ_MAX];

_Static_assert(WRITE_MAX <= READ_MAX, "buffer");

// Whether bytes va .. va + n - 1 lie in the window of a name that is alive, and it has `right`. The
// VMM says the first, the second is not in any answer of its.
static status_t check_access(const struct shell *shell, const struct name *name, vaddr_t va,
                             uint64_t n, uint32_t right)
{
    struct vmm_page page;
    vaddr_t last = va + n - 1;
    if (last < va)
        return E_INVAL;
    status_t status = vmm_query(name_slot(&shell->names, name), va, &page);
    if (status == OK)
        status = vmm_query(name_slot(&shell->names, name), last, &page);
    if (status == OK && !(name->prot & right))
        status = E_RIGHT;
    return status;
}

static status_t do_access(const struct shell *shell, const struct argument *name, struct access *a)
{
    static const uint32_t rights[] = {
        [PROBE_READ] = PROT_R, [PROBE_WRITE] = PROT_W, [PROBE_EXEC] = PROT_X};
    struct access_fault fault;
    uint64_t n = a->command == PROBE_EXEC ? 1 : a->n_bytes;
    status_t status = check_access(shell, name->name, a->va, n, rights[a->command]);
    if (status != OK)
        return status;
    a->space = name_space_slot(&shell->names, name->name);
    status = probe_access(a, &fault);
    if (fault.what != NULL)
        answer("fault: %s 0x%lx", fault.what, fault.va);
    return status;
}

status_t do_write(struct shell *shell, const struct arguments *arguments)
{
    struct access a = {.command = PROBE_WRITE, .va = arguments->at[1].number, .bytes = buffer};
    a.n_bytes = word_bytes(arguments->at[2].word, buffer);
    return do_access(shell, &arguments->at[0], &a);
}

status_t do_read(struct shell *shell, const struct arguments *arguments)
{
    size_t n = arguments->at[2].number;
    struct access a = {
        .command = PROBE_READ, .va = arguments->at[1].number, .n_bytes = n, .bytes = buffer};
    status_t status = do_access(shell, &arguments->at[0], &a);
    if (status == OK)
        answer_hex(buffer, n);
    return status;
}

status_t do_exec(struct shell *shell, const struct arguments *arguments)
{
    struct access a = {.command = PROBE_EXEC, .va = arguments->at[1].number};
    return do_access(shell, &arguments->at[0], &a);
}

// SPDX-License-Identifier: MIT
#include "test/scenarios/shell/shell/probe.h"

#include "ipc/rt.h"
#include "ipc/vmm_client.h"
#include "test/scenarios/shell/shell/shell.h"

#define VECTOR_PAGE_FAULT 14u
// Error code of a page fault (SDM 3A, 4.7).
#define FAULT_WRITE       0x02u
#define FAULT_FETCH       0x10u

// The badge of the portal that the present probe has. Word of an earlier one's end may still come.
static uint64_t badge;

// How far an access is.
struct progress {
    const struct access *access;
    size_t done;    // bytes
    size_t pending; // bytes that the probe is at
    bool is_called; // PROBE_EXEC: it was told
};

static status_t start(slot_t space)
{
    status_t status = vmm_portal(SLOT_SELF, SLOT_PROBES, ++badge, SLOT_ALL, SLOT_WAY);
    if (status != OK)
        return status;
    status = vmm_spawn_probe(space, PRIORITY_DEFAULT, SLOT_WAY, SLOT_PROBE);
    // The probe's own must be the only reference: its end is the end of the portal.
    status_t dropped = ipc_drop(SLOT_WAY);
    return status != OK ? status : dropped;
}

// Takes what the probe read, and writes its next command.
static void direct(struct progress *p, struct message *m)
{
    const struct access *a = p->access;
    if (a->command == PROBE_READ)
        memcpy(a->bytes + p->done, m->w, p->pending);
    p->done += p->pending;
    p->pending = a->n_bytes - p->done < PROBE_BYTES ? a->n_bytes - p->done : PROBE_BYTES;
    bool is_over = a->command == PROBE_EXEC ? p->is_called : p->pending == 0;
    p->is_called = true;
    *m = (struct message){{is_over ? PROBE_END : a->command, a->va + p->done, p->pending}};
    if (a->command == PROBE_WRITE)
        memcpy(&m->w[3], a->bytes + p->done, p->pending);
}

// Serves the probe until it is no more. Errors: the kernel's, none of which is expected.
static status_t serve(const struct access *access)
{
    struct progress progress = {.access = access};
    struct message m;
    for (;;) {
        struct result r = ipc_receive(SLOT_PROBES, 0, SLOT_CALLER, &m);
        if (r.status == E_MORE)
            continue;
        if (r.status != OK)
            return r.status;
        if (r.kind == MESSAGE_LAST_REFERENCE && r.badge == badge)
            return OK;
        if (r.kind != MESSAGE_CALL)
            continue;
        direct(&progress, &m);
        status_t status = ipc_reply(SLOT_CALLER, 0, &m);
        if (status != OK)
            return status;
    }
}

// Exceptions other than page faults come from code that was called.
static struct access_fault describe(const struct vmm_exit *end)
{
    if (end->code != VECTOR_PAGE_FAULT)
        return (struct access_fault){"exec", end->rip};
    const char *what = end->error & FAULT_FETCH   ? "exec"
                       : end->error & FAULT_WRITE ? "write"
                                                  : "read";
    return (struct access_fault){what, end->address};
}

status_t probe_access(const struct access *access, struct access_fault *fault)
{
    struct vmm_exit end;
    *fault = (struct access_fault){0};
    status_t status = start(access->space);
    if (status != OK)
        return status;
    status = serve(access);
    if (status == OK)
        status = vmm_wait(SLOT_PROBE, &end);
    give_up(SLOT_PROBE);
    if (status != OK || end.kind != EXIT_FAULT)
        return status;
    *fault = describe(&end);
    return end.reason;
}

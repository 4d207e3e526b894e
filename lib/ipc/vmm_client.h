// SPDX-License-Identifier: MIT
// The client side of the VMM's protocol: one function a request, see ipc/vmm_protocol.h for what
// each does. `grant` is the slot of an address-space capability, `into` an empty slot for the
// capability that comes back. Every function answers the kernel's status if the call itself failed,
// the VMM's otherwise; out-parameters are written on success only.
#pragma once

#include "ipc/ipc.h"
#include "ipc/vmm_protocol.h"

struct vmm_page {
    vaddr_t start;
    uint64_t pages;
    uint32_t prot;  // PROT_*
    uint32_t flags; // PAGE_*
    paddr_t frame;
};

struct vmm_stats {
    uint64_t pages, tables, charged, quota, free;
};

struct vmm_exit {
    enum exit_kind kind;
    uint64_t code; // EXIT_NORMAL: the code; EXIT_FAULT: the vector
    uint64_t address;
    uint64_t rip;
    uint32_t error;  // EXIT_FAULT: the exception's error code
    status_t reason; // EXIT_FAULT: E_FAULT; E_NOMEM, E_QUOTA if the page could not be had
};

must_check status_t vmm_create(slot_t grant, uint64_t quota, slot_t into);
// The same, with a highest priority of the tasks that run on the new quota.
must_check status_t vmm_create_limited(slot_t grant, uint64_t quota, uint64_t priority,
                                       slot_t into);
must_check status_t vmm_clone(slot_t grant, enum clone_mode mode, uint64_t quota, slot_t into);
must_check status_t vmm_destroy(slot_t grant);
must_check status_t vmm_map(slot_t grant, vaddr_t va, uint64_t pages, uint32_t prot,
                            uint32_t flags);
must_check status_t vmm_unmap(slot_t grant, vaddr_t va, uint64_t pages);
must_check status_t vmm_protect(slot_t grant, vaddr_t va, uint64_t pages, uint32_t prot);
must_check status_t vmm_share(slot_t grant, vaddr_t va, uint64_t pages, slot_t to, vaddr_t va2,
                              uint32_t prot);
must_check status_t vmm_move(slot_t grant, vaddr_t va, uint64_t pages, slot_t to, vaddr_t va2,
                             uint32_t prot);
must_check status_t vmm_derive(slot_t grant, vaddr_t va, uint64_t pages, uint32_t rights,
                               slot_t into);
must_check status_t vmm_revoke(slot_t grant, slot_t victim); // 0: the grant itself
must_check status_t vmm_query(slot_t grant, vaddr_t va, struct vmm_page *page);
must_check status_t vmm_stats(slot_t grant, struct vmm_stats *stats);
must_check status_t vmm_audit(slot_t grant, uint64_t *frames, uint64_t *errors);
must_check status_t vmm_spawn(slot_t grant, vaddr_t rip, vaddr_t rsp, uint64_t arg,
                              uint32_t priority, slot_t parent, slot_t into);
must_check status_t vmm_kill(slot_t task);
must_check status_t vmm_wait(slot_t task, struct vmm_exit *exit);
must_check status_t vmm_endpoint(slot_t grant, slot_t into);
must_check status_t vmm_portal(slot_t grant, slot_t endpoint, uint64_t badge, uint32_t flags,
                               slot_t into);
must_check status_t vmm_power_off(slot_t grant, uint64_t code);
must_check status_t vmm_snapshot(slot_t grant, uint64_t quota, slot_t into);
// The next difference at or after *va; *pages is 0 if there is none. Takes as many steps as it needs.
must_check status_t vmm_diff(slot_t grant, slot_t other, vaddr_t *va, uint64_t *pages);
must_check status_t vmm_rollback(slot_t grant, slot_t snapshot);
// The next run at or after `va`; page->pages is 0 if there is none.
must_check status_t vmm_maps(slot_t grant, vaddr_t va, struct vmm_page *page);
// Gives the task further capability slots, 250 behind those it has.
must_check status_t vmm_task_slots(slot_t task);
// Starts a probe in the space; it calls `parent` (see ipc/probe.h).
must_check status_t vmm_spawn_probe(slot_t grant, uint32_t priority, slot_t parent, slot_t into);

// Faults of the window go to the server behind `portal`, as EXCEPTION messages. It answers each with
// word 0 = OK or, to end the task, with why not; before, it may supply pages where the fault is,
// `fault` being its reply slot.
must_check status_t vmm_set_pager(slot_t grant, vaddr_t va, uint64_t pages, uint32_t prot,
                                  uint32_t flags, slot_t portal);

// All page faults of a task go to the server behind `portal` (0: to the VMM again), likewise; what it
// does not answer with OK, the VMM serves as if nobody had been asked.
must_check status_t vmm_task_pager(slot_t task, slot_t portal);

must_check status_t vmm_supply(slot_t grant, vaddr_t va, uint64_t pages, slot_t fault, vaddr_t va2,
                               uint32_t prot, uint32_t flags);

// One item of why an access is allowed or refused; *m gets the words of the answer.
must_check status_t vmm_explain(slot_t grant, vaddr_t va, uint32_t access, unsigned item,
                                struct message *m);

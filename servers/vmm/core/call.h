// SPDX-License-Identifier: MIT
// The handlers of calls through a capability. A handler is called with the rights that its request needs
// checked (request.c); it answers a status and fills `answer`, which is zero, from word 1 on, or puts
// the capability that it answers with into VMM_SLOT_ANSWER. What fails has changed nothing.
#pragma once

#include "edit.h"
#include "portal.h"
#include "request.h"

// Answers that the call is to be made again, with the same words and this token (see job.h) or 0.
status_t call_again(struct request *c, uint64_t token);

// A range in the user half and in the grant's window. E_INVAL, E_RIGHT.
must_check status_t decode_range(const struct vmm *vm, const struct portal *grant, uint64_t va,
                                 uint64_t n_pages, uint64_t *first);

// A protection that exists, is not both writable and executable, and that the grant has the rights
// for. E_INVAL, E_WX, E_RIGHT.
must_check status_t decode_prot(const struct portal *grant, uint64_t prot);

// An edit of the range of words 1 and 2, which begins at page `first`, with the protection of word 3.
struct edit make_edit(const struct request *c, enum edit_kind kind, uint64_t first);

// Does an edit of the space called, for which E_MORE is answered if it becomes a job. `has_pager`: the
// latest pager of the space is for it alone, and goes if it fails.
must_check status_t edit_range(struct vmm *vm, struct request *c, struct edit *e, bool has_pager);

// The grant that was carried with the call. E_SLOT: none was. E_REVOKED: it is dead. E_RIGHT: it
// lacks one of `rights`.
must_check status_t decode_carried(const struct vmm *vm, const struct request *c, unsigned rights,
                                   const struct portal **grant);

// call_memory.c: pages and spaces
must_check status_t serve_map(struct vmm *vm, struct request *c);
must_check status_t serve_unmap(struct vmm *vm, struct request *c);
must_check status_t serve_protect(struct vmm *vm, struct request *c);
must_check status_t serve_share(struct vmm *vm, struct request *c);
must_check status_t serve_move(struct vmm *vm, struct request *c);

// call_pager.c: external pagers
must_check status_t serve_set_pager(struct vmm *vm, struct request *c);
must_check status_t serve_supply(struct vmm *vm, struct request *c);
must_check status_t serve_task_pager(struct vmm *vm, struct request *c);

// call_space.c: spaces, and what is known of them
must_check status_t serve_space_create(struct vmm *vm, struct request *c);
must_check status_t serve_space_clone(struct vmm *vm, struct request *c);
must_check status_t serve_space_destroy(struct vmm *vm, struct request *c);
must_check status_t serve_derive(struct vmm *vm, struct request *c);
must_check status_t serve_revoke(struct vmm *vm, struct request *c);
must_check status_t serve_query(struct vmm *vm, struct request *c);
must_check status_t serve_maps(struct vmm *vm, struct request *c);
must_check status_t serve_snapshot(struct vmm *vm, struct request *c);
must_check status_t serve_diff(struct vmm *vm, struct request *c);
must_check status_t serve_rollback(struct vmm *vm, struct request *c);
must_check status_t serve_explain(struct vmm *vm, struct request *c); // call_explain.c
must_check status_t serve_stats(struct vmm *vm, struct request *c);
must_check status_t serve_settle(struct vmm *vm, struct request *c);
must_check status_t serve_audit(struct vmm *vm, struct request *c);

// call_task.c: tasks, endpoints, the machine
must_check status_t serve_spawn(struct vmm *vm, struct request *c);
must_check status_t serve_task_kill(struct vmm *vm, struct request *c);
must_check status_t serve_task_wait(struct vmm *vm, struct request *c);
must_check status_t serve_task_slots(struct vmm *vm, struct request *c);
must_check status_t serve_endpoint(struct vmm *vm, struct request *c);
must_check status_t serve_portal(struct vmm *vm, struct request *c);
must_check status_t serve_power_off(struct vmm *vm, struct request *c);

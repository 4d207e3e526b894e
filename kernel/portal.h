// SPDX-License-Identifier: MIT
// Portals: reference-counted ways into an endpoint, each with a badge that its server chose.
//
//           mint                 last slot drops                 server hears of it
//   free ─────────▶ live ──────────────────────────▶ reported ─────────────────────▶ unused ▶ free
//                    │  ◀──────── mint again ────────────┘                              ▲
//                    └── revoke ──▶ dead ── last slot drops ────────────────────────────┘
//
// `unused` is reported to the machine's endpoint, so that the VMM may use the place again; for a
// portal into the machine's own endpoint the report of the last reference says both.
#pragma once

#include "kernel/list.h"
#include "kernel/object.h"

struct endpoint;
struct task;

struct portal {
    struct endpoint *endpoint; // NULL: free or dead
    uint64_t badge;
    struct list link; // refs 0: in an endpoint's reports; else: the tasks queued through it
    uint32_t refs;    // slots that hold it, messages queued through it
    uint16_t report;  // enum message_kind of the report it stands for, while linked
    int16_t why;      // dead: what whoever uses it gets
};

struct portals {
    struct object object;
    uint32_t n_used; // places that are not free
    uint32_t reserved;
    struct portal place[PORTALS_PER_FRAME];
};

_Static_assert(sizeof(struct portals) <= PAGE_SIZE, "portals must fit their frame");

must_check status_t portals_create(uint64_t index);
// E_BUSY while a place is not free.
must_check status_t portals_destroy(struct portals *p);

// The portal of that number. E_FAULT, E_STATE: no such frame or not one of portals.
must_check status_t portal_find(uint64_t number, struct portal **portal);
uint64_t portal_number(const struct portal *p);

// Neither live nor dead with references, nor waiting to be heard of.
bool portal_is_free(const struct portal *p);
// Makes a free one live; the caller owns the references.
void portal_begin(struct portal *p, struct endpoint *endpoint, uint64_t badge, uint32_t refs);

// Makes a free portal live, or takes a further reference of a live one with the same endpoint and
// badge (and withdraws its report). The caller owns the reference. E_STATE: dead, or another's.
// E_LIMIT: the count is full.
must_check status_t portal_mint(struct portal *p, struct endpoint *endpoint, uint64_t badge);

// A further reference of a live portal, as portal_mint().
must_check status_t portal_again(struct portal *p);

// Whether it leads somewhere: E_REVOKED, or E_DEAD if nobody can receive there any more.
must_check status_t portal_status(const struct portal *p);

// All portals in the frame at `index` that bit i of `low` (place i) or `high` (64 + i) names and that are
// live are dead at once: whoever uses them gets E_REVOKED; or E_DEAD as before, if that is why. E_MORE: there are too many for one call. E_INVAL: no such place. E_FAULT,
// E_STATE: no such frame or not one of portals.
must_check status_t portals_revoke(uint64_t index, uint64_t low, uint64_t high);

// One reference more (E_LIMIT: the count is full) or less.
must_check status_t portal_hold(struct portal *p);
void portal_release(struct portal *p);

// A task queues through the portal and has a reference of it, or leaves the queue and gives it up.
void portal_enqueue(struct portal *p, struct task *t);
void portal_dequeue(struct portal *p, struct task *t);

// Called when the report that `p` stands for has been received.
void portal_heard(struct portal *p);

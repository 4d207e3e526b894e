// SPDX-License-Identifier: MIT
// The requests of the VMM. A client calls a portal whose badge is a grant: a space, a window in it,
// rights. The six words of the call are the request, the reply's word 0 is a status_t
// (sign-extended) and its other words are zero unless said. What fails changes nothing.
//
// Any request may answer E_MORE: what it does goes in steps, or has to wait. Then make the same call
// again, with the words that came back but for word 0, until the answer is another; word 5 of the first
// call is 0. (SPACE_DESTROY and REVOKE: with the words of the first call.) That answer is told once, and
// to whoever comes back before 64 others of the space have ended: else E_STATE. A clone that comes with
// E_MORE is there, and waits for its pages: do not clone again, but call SETTLE on it. If that fails the
// space is empty: drop it.
// ipc/vmm_client.h does all that.
//
// Word 0: opcode in bits 0..15, protocol version in bits 16..31, flags in bits 32..63.
// VAs are what the space itself calls an address; ranges are (va, pages of 4 KiB).
#pragma once

#include "ipc/types.h"

#define VMM_VERSION 1u

// clang-format off
//
//                words 1..5                  carried            answer
// SPACE_CREATE   quota in frames; 0: the caller's account       capability (all rights)
//                highest priority of tasks there (with a quota; 0: the caller's)
// SPACE_CLONE    mode (enum clone_mode), quota                  capability (the rights of this one)
// SPACE_DESTROY                                                 kills its tasks, frees all. One that
//                                                               was made with a quota takes along all
//                                                               spaces that draw on it, or on a part
//                                                               of it: so a quota can be taken back.
//                                                               E_MORE: ask again; 1: as of REVOKE
// MAP            va, pages, prot             (flags: MAP_*)
// UNMAP          va, pages
// PROTECT        va, pages, prot
// SHARE          va, pages, va2, prot        destination grant  same frames in both, coherent
// MOVE           va, pages, va2, prot        destination grant  taken from here, private there
// DERIVE         va, pages, rights                              capability (narrowed)
// REVOKE                                     grant or nothing   kills the grant, which is this one or
//                                                               derived from it, and all derived from
//                                                               that, and unmaps everywhere what was
//                                                               shared through any of them, or on from
//                                                               there. Nothing: this one, in whoever's
//                                                               hands. E_MORE: ask again; 1: 1 if it is
//                                                               under way: then E_REVOKED says that it
//                                                               is done
// QUERY          va                                             1: start 2: pages 3: prot | PAGE_*
//                                                               4: address of the frame, or 0
// STATS          0, 0, 0                                        1: pages 2: tables 3: charged 4: quota
//                                                               5: free frames of the machine
// AUDIT          (right AUDIT)                                  1: frames 2: errors
// SPAWN          rip, rsp, arg, priority     the child's SLOT_PARENT   task capability. The child's
//                                                               SLOT_SELF is the grant called: to keep
//                                                               more than it has, call one derived
// TASK_KILL      (on a task capability)
// TASK_WAIT      (on a task capability)                         1: enum exit_kind 2: code, or vector
//                                                               3: address 4: rip 5: of a fault:
//                                                               error code | why (status_t) << 32
// ENDPOINT                                                      the right to receive
// PORTAL         badge, slot flags           endpoint           portal
// POWER_OFF      code (right POWER)
// SNAPSHOT       quota                                          a copy-on-write clone that never runs:
//                                                               its capability has at most QUERY,
//                                                               CLONE, READ, DESTROY
// DIFF           va                          other grant        the first pages at or after va whose
//                                                               frame or rights differ: 1: start
//                                                               2: pages, 0 if none is left. E_MORE:
//                                                               none yet, go on at word 1
// ROLLBACK                                   snapshot           the user half becomes the snapshot's
// MAPS           va                                             the first run of pages at or after va
//                                                               that are not empty and alike: 1..4 as
//                                                               of QUERY, 2: 0 if none is left. It may
//                                                               go on behind: ask again at its end
// SETTLE                                                        waits for what goes on in the space
// TASK_SLOTS     (on a task capability)                         250 further slots for the task
// SET_PAGER      va, pages, prot             portal             faults on pages not there yet go to the
//                (flags: MAP_REPLACE)                           server behind it: an EXCEPTION, with the
//                                                               portal's badge. It answers 0, and the
//                                                               task tries again; or why not (status_t),
//                                                               and the task ends. When the grant is
//                                                               revoked the server is asked no more, of
//                                                               clones neither: such a fault ends the
//                                                               task (E_REVOKED), as it does SUPPLY. What
//                                                               was supplied before stays, as what was
//                                                               mapped or shared into the window does
// TASK_PAGER     (on a task capability)      portal, or nothing the task's page faults go to the server
//                                                               behind it, or to the VMM again: as with
//                                                               SET_PAGER, but all of them, and at once.
//                                                               What it answers but by 0, or by no more
//                                                               being there, the VMM serves as if nobody
//                                                               had been asked; a task that ends by it
//                                                               ends for that reason. E_STATE: it ended
// SUPPLY         va, pages, va2, prot        that fault's       pages of this space where the fault is,
//                (flags: SUPPLY_*)           reply capability,  and around it where the same pager is
//                                            (SYS_MOVE: it      asked: shared, or moved (right MAP)
//                                            stays here)
// EXPLAIN        va, access (one of PROT_*), item               why it is allowed or refused, by items.
//                                                               0: the outcome: 1: enum
//                                                               explain_outcome | level that denies << 8
//                                                               2: prot | PAGE_* 3: prot that it may ever
//                                                               have 4: account that pays for the frame
//                                                               5: this space | its account << 32
//                                                               a level: 1: the entry there 2: PROT_* that
//                                                               it and all above it allow
//                                                               EXPLAIN_GRANTS + n: the n-th grant through
//                                                               which the page came: 1: its space 2: va
//                                                               3: pages 4: rights 5: enum explain_kind
//                                                               E_NOENT: there is no such item
#define VMM_REQUEST_LIST(X)                                                                    \
    X(SPACE_CREATE) X(SPACE_CLONE) X(SPACE_DESTROY)                                            \
    X(MAP) X(UNMAP) X(PROTECT) X(SHARE) X(MOVE)                                                \
    X(DERIVE) X(REVOKE) X(QUERY) X(STATS) X(AUDIT)                                             \
    X(SPAWN) X(TASK_KILL) X(TASK_WAIT) X(ENDPOINT) X(PORTAL) X(POWER_OFF)                      \
    X(SNAPSHOT) X(DIFF) X(ROLLBACK) X(MAPS) X(TASK_SLOTS)                                      \
    X(SET_PAGER) X(SUPPLY) X(SETTLE) X(EXPLAIN) X(TASK_PAGER)
// clang-format on

#define VMM_REQUEST_ENUM(name) VMM_##name,
enum vmm_request { VMM_REQUEST_LIST(VMM_REQUEST_ENUM) VMM_REQUESTS };
#undef VMM_REQUEST_ENUM

// Protection of a range; W with X is E_WX, W or X without R is E_INVAL, 0 is "kept out of reach".
#define PROT_R 0x1u
#define PROT_W 0x2u
#define PROT_X 0x4u

// Flags of MAP (word 0, bits 32..). Without a size the VMM maps pages as large as range and memory
// allow, and 4 KiB at each first touch of a lazy range.
#define MAP_LAZY    0x1u // demand-zero: the page comes with its first touch
#define MAP_REPLACE 0x2u // over mapped pages too; without it E_EXISTS
#define MAP_2M      0x4u
#define MAP_1G      0x8u
#define MAP_4K      0x10u

#define SUPPLY_MOVE 0x1u // taken from here; else in both, as by SHARE

// Flags of SPAWN. A probe is a task that runs the probe's code, a page in the higher half that every
// space has and that no request names: rip and rsp are not used, it has no capability to its space,
// nobody's quota pays for it and it is fragile. A second one in a space is E_BUSY. See ipc/probe.h.
#define SPAWN_PROBE 0x1u
#define SPAWN_FRAGILE \
    0x2u // a fault that finds no memory or quota ends the task; others wait for it

// What QUERY says of a page beside its protection (word 3).
#define PAGE_MAPPED 0x010u // a frame is there
#define PAGE_LAZY   0x020u // demand-zero, not touched yet
#define PAGE_SHARED 0x040u
#define PAGE_COW    0x080u
#define PAGE_2M     0x100u
#define PAGE_1G     0x200u
#define PAGE_PAGED  0x800u // somebody's: the fault of its first touch goes to a pager
#define PAGE_DEVICE 0x400u // not RAM: uncached, and left out of clones

// Rights of a grant.
#define RIGHT_READ    0x001u // PROT_R in what is mapped through it
#define RIGHT_WRITE   0x002u
#define RIGHT_EXECUTE 0x004u
#define RIGHT_MAP     0x008u // map, unmap, protect, share or move into the window
#define RIGHT_CLONE   0x010u // clone, snapshot
#define RIGHT_DERIVE  0x020u
#define RIGHT_SPAWN   0x040u
#define RIGHT_CREATE  0x080u // create spaces, endpoints and portals on the space's account
#define RIGHT_DESTROY 0x100u
#define RIGHT_SHARE   0x200u // take frames of the window: share, move out of it
#define RIGHT_QUERY   0x400u // query, maps, stats
#define RIGHT_AUDIT   0x800u // audit
#define RIGHT_POWER   0x1000u
// A request needs all rights that are named here, else E_RIGHT, and where it reaches beyond windows, a
// capability to all of the space. Of the capability called, and of the one carried:
//   SPACE_CREATE, ENDPOINT, PORTAL   CREATE
//   SPACE_CLONE, SNAPSHOT            CLONE, READ; all of the space
//   SPACE_DESTROY                    DESTROY; all of the space
//   MAP, UNMAP, PROTECT              MAP, and what the protection names
//   SHARE                            SHARE, and what the protection names; MAP, and that too
//   MOVE                             SHARE, MAP, and that; MAP, and that too
//   DERIVE                           DERIVE, and what is derived
//   REVOKE                           DERIVE
//   QUERY, MAPS, STATS, EXPLAIN      QUERY
//   DIFF                             QUERY; QUERY
//   SPAWN                            SPAWN; all of the space
//   ROLLBACK                         MAP, READ; CLONE, READ; all of both. WRITE and EXECUTE must have been
//                                    there, if they are here, when the snapshot was taken
//   SET_PAGER                        MAP, and what the protection names
//   SUPPLY                           SHARE (to move, MAP too), and what the protection names
//   AUDIT, POWER_OFF                 AUDIT, POWER
#define RIGHTS_SPACE  0x7ffu // all that the creator of a space gets
#define RIGHTS_ALL    0x1fffu

enum clone_mode { CLONE_COPY, CLONE_COW };

enum explain_outcome {
    EXPLAIN_ALLOWED,
    EXPLAIN_AFTER_FAULT, // the VMM makes it so: the page is not there yet, or held jointly
    EXPLAIN_REFUSED,
};

// How a grant is behind a page: it was shared through it; that grant was derived from it; the page that
// was shared had come to be there through it.
enum explain_kind { EXPLAIN_SHARED, EXPLAIN_DERIVED, EXPLAIN_SHARED_ON };
#define EXPLAIN_GRANTS     16u
#define EXPLAIN_GRANTS_MAX 64u // more are not told

enum exit_kind { EXIT_NORMAL, EXIT_FAULT, EXIT_KILLED };

static inline uint64_t vmm_word0(enum vmm_request request, uint32_t flags)
{
    return (uint64_t)request | (uint64_t)VMM_VERSION << 16 | (uint64_t)flags << 32;
}

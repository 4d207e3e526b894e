// SPDX-License-Identifier: MIT
// A machine for the memory server on the host: physical memory with a boot_info in it, the tables
// that boot makes, and a kernel that keeps objects, portals and slots as the real one does. The
// test is the client: it holds capabilities in variables, and every call goes through
// request_serve().
#pragma once

#include "servers/vmm/core/start.h"

// cmocka wants these first.
#include <setjmp.h>
#include <stdarg.h>

#include <stddef.h>

#include <cmocka.h>

#define FAKE_OBJECTS 2048u
#define FAKE_SLOTS   2400u

// What the machine has for the probe's code.
#define FAKE_PROBE_BYTES 40u
extern const char probe_code[FAKE_PROBE_BYTES];

enum fake_cap_type { CAP_NONE, CAP_PORTAL, CAP_ENDPOINT, CAP_REPLY, CAP_CONSOLE };

struct fake_cap {
    enum fake_cap_type type;
    uint32_t value; // portal number, window index, index of the task that waits
};

struct fake_portal {
    uint32_t endpoint; // window index; 0: free or dead
    uint64_t badge;
    uint32_t refs;
    bool is_dead;
};

struct fake_object {
    uint8_t kind;  // enum kernel_object
    uint32_t refs; // ENDPOINT: receive rights. SLOTS: whose
    bool runs;     // TASK
    vaddr_t rip;
    paddr_t root;
    struct fake_cap slots[SLOTS_FIRST];
    struct fake_cap pager; // TASK: its own
    vaddr_t fault;         // TASK: of its last exception
    struct fake_portal *portals;
};

struct fake_report {
    enum message_event event;
    uint64_t badge;
    uint64_t word;
};

struct fake {
    struct vmm vm;
    struct boot_info info;
    char *memory;
    uint64_t memory_bytes;
    struct fake_object objects[FAKE_OBJECTS];
    struct fake_cap slots[FAKE_SLOTS];
    struct fake_report reports[4096];
    unsigned n_reports;
    unsigned fail_call;            // the n-th kernel call that may fail does; 0: none
    unsigned n_flushes, n_revokes; // kernel calls
    struct flush_entry last_flush;
    unsigned n_replies;     // to those who waited
    uint32_t replied_to;    // the last one, if it is a task of the window
    unsigned reply_flushes; // that there were before the last one
    uint64_t reply_words[MESSAGE_WORDS];
    unsigned n_forwards;       // of faults, to a pager;
    uint32_t forwarded_to;     // the portal of the last one
    struct fake_cap forwarded; // its reply capability
    uint64_t power_code;
    unsigned n_failures;            // calls of ports->fail
    unsigned n_more;                // steps of calls that were not the last
    void (*between)(struct fake *); // what others do between two steps, or NULL
    char log[4096];
    struct fake_cap init; // a grant on init's space with all rights
    struct fake_cap modules;
    struct fake_cap devices;
    uint32_t starved; // the first frame that fake_starve() took
    uint64_t n_free;  // when all was set up
};

struct fake_config {
    uint32_t levels;
    uint64_t memory_mib;
    uint32_t page_sizes;
};

// A booted machine, with init running; and its end, at which the audit must find nothing.
struct fake *fake_boot(struct fake_config config);
void fake_end(struct fake *f);

// The memory and boot_info alone, before vmm_start().
struct fake *fake_make(struct fake_config config);
void fake_free(struct fake *f);

// cmocka fixtures: *state is a machine with 4 levels, with 5.
int fake_setup4(void **state);
int fake_setup5(void **state);
int fake_teardown(void **state);

// A page of `level` on the root account, that nobody refers to.
pfn_t fake_block(struct fake *f, unsigned level);

// Runs every test of a file with 4 and with 5 levels.
#define FAKE_TEST(name)                                             \
    {#name " (4 levels)", name, fake_setup4, fake_teardown, NULL},  \
    {                                                               \
#name " (5 levels)", name, fake_setup5, fake_teardown, NULL \
    }

// A call through a capability: words in, and out if `answer`. What is carried is copied; what comes
// back goes to *got if there is one.
status_t fake_call(struct fake *f, struct fake_cap through, const uint64_t *words,
                   const struct fake_cap *carried, struct fake_cap *got, uint64_t *answer);

// One message of such a call: with E_MORE, `words` are those of the next one, but for word 0. fake_call()
// goes on until it is done (but for REVOKE, whose answers tell more).
status_t fake_step(struct fake *f, struct fake_cap through, uint64_t *words,
                   const struct fake_cap *carried);

// The same, and what comes back goes to *got.
status_t fake_begin(struct fake *f, struct fake_cap through, uint64_t *words, struct fake_cap *got);

// Gives a capability up, and lets the VMM hear of it.
void fake_drop(struct fake *f, struct fake_cap *cap);
struct fake_cap fake_copy(struct fake *f, struct fake_cap cap);

// Delivers what the kernel has to say until there is nothing.
void fake_pump(struct fake *f);

// Leaves `k` free frames; and gives the others back.
void fake_starve(struct fake *f, uint64_t k);
void fake_feed(struct fake *f);

// Requests, as in ipc/vmm_client.h.
status_t fake_create(struct fake *f, struct fake_cap by, uint64_t quota, struct fake_cap *got);
status_t fake_clone(struct fake *f, struct fake_cap by, enum clone_mode mode, uint64_t quota,
                    struct fake_cap *got);
status_t fake_map(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages, unsigned prot,
                  unsigned flags);
status_t fake_unmap(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages);
status_t fake_protect(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                      unsigned prot);
status_t fake_share(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                    struct fake_cap to, vaddr_t va2, unsigned prot);
status_t fake_move(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                   struct fake_cap to, vaddr_t va2, unsigned prot);
status_t fake_derive(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                     unsigned rights, struct fake_cap *got);
status_t fake_revoke(struct fake *f, struct fake_cap by, const struct fake_cap *victim);
status_t fake_query(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t answer[MESSAGE_WORDS]);
status_t fake_spawn(struct fake *f, struct fake_cap by, const struct fake_cap *parent,
                    struct fake_cap *got);
uint64_t fake_audit(struct fake *f);

// An EXIT or EXCEPTION as it comes through the pager portal of the task at a window index. True if
// it is answered at once; if not, the task waits in state->reply_slot or is gone.
bool fake_event(struct fake *f, uint32_t object, enum message_event kind,
                const uint64_t words[MESSAGE_WORDS]);

// The space that a capability names.
record_t fake_space(struct fake *f, struct fake_cap cap);
paddr_t fake_root(struct fake *f, struct fake_cap cap);

// Access as a task in the space would have it: faults go to the VMM, as the kernel's EXCEPTION
// would. E_FAULT: refused.
status_t fake_read(struct fake *f, struct fake_cap cap, vaddr_t va, uint8_t *byte);
status_t fake_write(struct fake *f, struct fake_cap cap, vaddr_t va, uint8_t byte);

// A sum over all entries of all spaces: equal if and (all but) only if all are bit for bit the
// same.
uint64_t fake_sum(struct fake *f);

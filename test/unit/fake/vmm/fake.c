// SPDX-License-Identifier: MIT
#include "fake.h"

#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "servers/vmm/core/audit.h"
#include "servers/vmm/core/fault.h"
#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/request.h"
#include "servers/vmm/core/reserve.h"
#include "servers/vmm/core/space.h"
#include "servers/vmm/core/table.h"
#include "walker.h"

static struct fake_cap init_slot(struct fake *f, unsigned slot)
{
    for (unsigned i = 2; i < FAKE_OBJECTS; i++)
        if (f->objects[i].kind == KERNEL_TASK)
            return kernel_copy(f, f->objects[i].slots[slot]);
    fail_msg("init does not run");
    return (struct fake_cap){CAP_NONE, 0};
}

struct fake *fake_boot(struct fake_config config)
{
    struct fake *f = fake_make(config);
    assert_int_equal(vmm_start(&f->vm, &f->info, &kernel_ports, f), OK);
    assert_int_equal(vmm_start_init(&f->vm, &f->info), OK);
    f->init = init_slot(f, TASK_SLOT_SELF);
    f->modules = init_slot(f, TASK_SLOT_PARENT);
    f->devices = init_slot(f, TASK_SLOT_DEVICES);
    f->n_free = f->vm.state->n_free;
    assert_int_equal(fake_audit(f), 0);
    return f;
}

void fake_end(struct fake *f)
{
    fake_pump(f);
    assert_int_equal(fake_audit(f), 0);
    assert_int_equal(f->vm.state->n_free, f->n_free);
    fake_free(f);
}

int fake_setup4(void **state)
{
    *state = fake_boot((struct fake_config){4, 16, 7});
    return 0;
}

int fake_setup5(void **state)
{
    *state = fake_boot((struct fake_config){5, 16, 7});
    return 0;
}

int fake_teardown(void **state)
{
    fake_end(*state);
    return 0;
}

static void serve(struct fake *f, struct request *r)
{
    request_serve(&f->vm, r);
    assert_int_equal(f->slots[f->vm.state->receive_slot].type, CAP_NONE);
    assert_int_equal(f->slots[VMM_SLOT_SCRATCH].type, CAP_NONE);
    assert_int_equal(f->slots[VMM_SLOT_ANSWER].type != CAP_NONE, r->gives_cap);
}

// Has all freed that was given up, as further requests would.
static void idle(struct fake *f)
{
    while ((f->vm.state->dead_tables.n || f->vm.state->gone) &&
           f->vm.state->step_work == STEP_WORK) {
        vmm_begin(&f->vm);
        vmm_settle(&f->vm);
    }
}

void fake_pump(struct fake *f)
{
    for (unsigned i = 0; i < f->n_reports; i++) {
        struct fake_report report = f->reports[i];
        struct request r = {.event = report.event, .badge = report.badge, .words = {report.word}};
        if (kernel_hear(f, &report))
            serve(f, &r);
    }
    f->n_reports = 0;
    idle(f);
}

static void carry(struct fake *f, struct request *r, const struct fake_cap *carried)
{
    uint32_t endpoint;
    uint64_t badge;
    if (!carried)
        return;
    if (carried->type == CAP_ENDPOINT || carried->type == CAP_REPLY) {
        r->carried = CARRIED_OBJECT;
        r->carried_value = carried->value;
        if (carried->type == CAP_REPLY && carried->value < FAKE_OBJECTS)
            r->carried_value |= f->objects[carried->value].fault >> PAGE_SHIFT << FAULT_SHIFT;
    } else if (carried->type == CAP_PORTAL &&
               kernel_portal_info(f, carried->value, &endpoint, &badge) &&
               endpoint == VMM_OBJECT_ENDPOINT) {
        r->carried = CARRIED_BADGE;
        r->carried_value = badge;
    } else {
        r->carried = CARRIED_SLOT;
        r->carried_value = carried->type == CAP_PORTAL ? carried->value : 0;
        f->slots[f->vm.state->receive_slot] = kernel_copy(f, *carried);
    }
}

// One message, and what is answered at once. E_MORE: the words are those of the next one.
static status_t call_once(struct fake *f, struct fake_cap through, uint64_t *words,
                          const struct fake_cap *carried, struct fake_cap *got, bool *has_got)
{
    uint32_t endpoint;
    uint64_t badge;
    struct request r = {.event = EVENT_CALL, .wants_cap = got};
    memcpy(r.words, words, sizeof r.words);
    if (through.type != CAP_PORTAL || !kernel_portal_info(f, through.value, &endpoint, &r.badge))
        return E_REVOKED;
    if (carried && carried->type == CAP_PORTAL &&
        !kernel_portal_info(f, carried->value, &endpoint, &badge))
        return E_REVOKED;
    carry(f, &r, carried);
    uint32_t slot = f->vm.state->reply_slot;
    assert_int_equal(f->slots[slot].type, CAP_NONE);
    f->slots[slot] = (struct fake_cap){CAP_REPLY, 0};
    serve(f, &r);
    if (!r.is_answered)
        return 1; // later, by ports->reply()
    f->slots[slot] = (struct fake_cap){CAP_NONE, 0};
    if (r.gives_cap) {
        *got = f->slots[VMM_SLOT_ANSWER];
        f->slots[VMM_SLOT_ANSWER] = (struct fake_cap){CAP_NONE, 0};
    }
    *has_got = r.gives_cap;
    memcpy(words, r.answer, sizeof r.answer);
    return (status_t)words[0];
}

status_t fake_step(struct fake *f, struct fake_cap through, uint64_t *words,
                   const struct fake_cap *carried)
{
    bool has_got;
    return call_once(f, through, words, carried, NULL, &has_got);
}

status_t fake_begin(struct fake *f, struct fake_cap through, uint64_t *words, struct fake_cap *got)
{
    bool has_got;
    return call_once(f, through, words, NULL, got, &has_got);
}

// Waits for what a capability that came with E_MORE is for. What cannot be goes.
static status_t settle(struct fake *f, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SETTLE, 0)};
    status_t status = fake_call(f, *got, words, NULL, NULL, NULL);
    if (status != OK)
        fake_drop(f, got);
    return status;
}

status_t fake_call(struct fake *f, struct fake_cap through, const uint64_t *words,
                   const struct fake_cap *carried, struct fake_cap *got, uint64_t *answer)
{
    uint64_t m[MESSAGE_WORDS];
    bool has_got = false;
    status_t status;
    memcpy(m, words, sizeof m);
    for (;;) {
        m[0] = words[0];
        status = call_once(f, through, m, carried, got, &has_got);
        if (status != E_MORE || (words[0] & 0xffff) == VMM_REVOKE) // whose answers tell more
            break;
        f->n_more++;
        if (has_got)
            return settle(f, got);
        if (f->between)
            f->between(f);
    }
    idle(f);
    if (answer && status <= 0)
        memcpy(answer, m, sizeof m);
    return status;
}

void fake_drop(struct fake *f, struct fake_cap *cap)
{
    kernel_drop(f, cap);
    fake_pump(f);
}

struct fake_cap fake_copy(struct fake *f, struct fake_cap cap)
{
    return kernel_copy(f, cap);
}

pfn_t fake_block(struct fake *f, unsigned level)
{
    struct reserve r;
    const uint64_t n[3] = {level == 1, level == 2, level == 3};
    assert_int_equal(reserve_fill(&f->vm, &r, f->vm.state->root_account, n, false), OK);
    return reserve_take(&f->vm, &r, level, FRAME_PAGE);
}

// The frames that the test holds are chained by their first word.
void fake_starve(struct fake *f, uint64_t k)
{
    fake_feed(f);
    while (f->vm.state->n_free > k) {
        pfn_t pfn;
        assert_int_equal(frame_alloc(&f->vm, f->vm.state->root_account, FRAME_OBJECT, &pfn), OK);
        frame_of(&f->vm, pfn)->flags = 0;
        frame_of(&f->vm, pfn)->refs = 0; // the audit finds none
        *(uint32_t *)frame_at(&f->vm, pfn) = f->starved;
        f->starved = pfn.n;
    }
}

void fake_feed(struct fake *f)
{
    while (f->starved) {
        pfn_t pfn = {f->starved};
        f->starved = *(uint32_t *)frame_at(&f->vm, pfn);
        frame_free(&f->vm, pfn);
    }
    vmm_settle(&f->vm);
}

static status_t call(struct fake *f, struct fake_cap by, enum vmm_request request, unsigned flags,
                     uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, flags), a, b, c};
    return fake_call(f, by, words, NULL, NULL, NULL);
}

static status_t call_cap(struct fake *f, struct fake_cap by, enum vmm_request request, uint64_t a,
                         uint64_t b, uint64_t c, struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0), a, b, c};
    return fake_call(f, by, words, NULL, got, NULL);
}

status_t fake_create(struct fake *f, struct fake_cap by, uint64_t quota, struct fake_cap *got)
{
    return call_cap(f, by, VMM_SPACE_CREATE, quota, 0, 0, got);
}

status_t fake_clone(struct fake *f, struct fake_cap by, enum clone_mode mode, uint64_t quota,
                    struct fake_cap *got)
{
    return call_cap(f, by, VMM_SPACE_CLONE, mode, quota, 0, got);
}

status_t fake_map(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages, unsigned prot,
                  unsigned flags)
{
    return call(f, by, VMM_MAP, flags, va, pages, prot);
}

status_t fake_unmap(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages)
{
    return call(f, by, VMM_UNMAP, 0, va, pages, 0);
}

status_t fake_protect(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages, unsigned prot)
{
    return call(f, by, VMM_PROTECT, 0, va, pages, prot);
}

static status_t transfer(struct fake *f, struct fake_cap by, enum vmm_request request, vaddr_t va,
                         uint64_t pages, const struct fake_cap *to, vaddr_t va2, unsigned prot)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(request, 0), va, pages, va2, prot};
    return fake_call(f, by, words, to, NULL, NULL);
}

status_t fake_share(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                    struct fake_cap to, vaddr_t va2, unsigned prot)
{
    return transfer(f, by, VMM_SHARE, va, pages, &to, va2, prot);
}

status_t fake_move(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                   struct fake_cap to, vaddr_t va2, unsigned prot)
{
    return transfer(f, by, VMM_MOVE, va, pages, &to, va2, prot);
}

status_t fake_derive(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t pages,
                     unsigned rights, struct fake_cap *got)
{
    return call_cap(f, by, VMM_DERIVE, va, pages, rights, got);
}

status_t fake_revoke(struct fake *f, struct fake_cap by, const struct fake_cap *victim)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_REVOKE, 0)};
    uint64_t answer[MESSAGE_WORDS];
    bool is_under_way = false;
    status_t status;
    do {
        status = fake_call(f, by, words, victim, NULL, answer);
        is_under_way |= status == E_MORE && answer[1];
    } while (status == E_MORE);
    return is_under_way && status == E_REVOKED ? OK : status;
}

status_t fake_query(struct fake *f, struct fake_cap by, vaddr_t va, uint64_t answer[MESSAGE_WORDS])
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_QUERY, 0), va};
    return fake_call(f, by, words, NULL, NULL, answer);
}

status_t fake_spawn(struct fake *f, struct fake_cap by, const struct fake_cap *parent,
                    struct fake_cap *got)
{
    const uint64_t words[MESSAGE_WORDS] = {vmm_word0(VMM_SPAWN, 0), 0x400000, 0x7ff0, 7, 8};
    return fake_call(f, by, words, parent, got, NULL);
}

bool fake_event(struct fake *f, uint32_t object, enum message_event kind,
                const uint64_t words[MESSAGE_WORDS])
{
    struct fake_cap pager = f->objects[object].slots[TASK_SLOT_PAGER];
    uint32_t slot = f->vm.state->reply_slot;
    assert_int_equal(pager.type, CAP_PORTAL);
    assert_int_equal(f->slots[slot].type, CAP_NONE);
    f->slots[slot] = (struct fake_cap){CAP_REPLY, object};
    f->objects[object].fault = words[2];
    struct request r = {.event = kind,
                        .badge = portal_badge(&f->vm, PORTAL_TASK, pager.value),
                        .words = {words[0], words[1], words[2], words[3], 0x7000, words[5]}};
    serve(f, &r);
    if (r.is_answered)
        f->slots[slot] = (struct fake_cap){CAP_NONE, 0};
    assert_int_equal(f->slots[f->vm.state->reply_slot].type, CAP_NONE);
    fake_pump(f);
    return r.is_answered;
}

uint64_t fake_audit(struct fake *f)
{
    uint64_t n = audit(&f->vm);
    if (n)
        print_message("%s", f->log);
    return n;
}

record_t fake_space(struct fake *f, struct fake_cap cap)
{
    return portal_of(&f->vm, cap.value)->owner;
}

paddr_t fake_root(struct fake *f, struct fake_cap cap)
{
    return frame_address(space_of(&f->vm, fake_space(f, cap))->root);
}

// One access: at most one fault, after which it must succeed.
static status_t touch(struct fake *f, struct fake_cap cap, vaddr_t va, enum walk_access access,
                      char **byte)
{
    struct walk w = walk_user(f->memory, fake_root(f, cap), f->info.levels, va, access);
    if (!w.is_allowed) {
        unsigned prot = access == WALK_WRITE ? PROT_W : access == WALK_FETCH ? PROT_X : PROT_R;
        record_t pager;
        status_t status;
        do {
            vmm_begin(&f->vm);
            status = fault_resolve(&f->vm, fake_space(f, cap), va, prot, &pager);
            vmm_settle(&f->vm);
        } while (status == E_MORE);
        if (status != OK)
            return status;
        w = walk_user(f->memory, fake_root(f, cap), f->info.levels, va, access);
        assert_true(w.is_allowed);
    }
    *byte = f->memory + w.address;
    return OK;
}

status_t fake_read(struct fake *f, struct fake_cap cap, vaddr_t va, uint8_t *byte)
{
    char *at;
    status_t status = touch(f, cap, va, WALK_READ, &at);
    if (status == OK)
        *byte = (uint8_t)*at;
    return status;
}

status_t fake_write(struct fake *f, struct fake_cap cap, vaddr_t va, uint8_t byte)
{
    char *at;
    status_t status = touch(f, cap, va, WALK_WRITE, &at);
    if (status == OK)
        *at = (char)byte;
    return status;
}

static uint64_t sum_table(struct fake *f, pfn_t table, unsigned level, uint64_t sum)
{
    for (unsigned i = 0; i < PTE_ENTRIES; i++) {
        pte_t e = table_load(&f->vm, table, i);
        if (pte_is_empty(e))
            continue;
        if (level == f->vm.state->levels)
            e.bits &=
                ~PTE_W; // a clone that could not be has cleared it, and the next fault sets it
        sum = (sum ^ i ^ level << 9) * 0x100000001b3ull;
        sum = (sum ^ e.bits) * 0x100000001b3ull;
        sum ^= sum >> 29;
        if (pte_is_table(e, level) && e.bits & PTE_U)
            sum = sum_table(f, frame_number(pte_address(e)), level - 1, sum);
    }
    return sum;
}

uint64_t fake_sum(struct fake *f)
{
    uint64_t sum = 0xcbf29ce484222325ull;
    record_t id = f->vm.state->spaces;
    for (; id; id = space_of(&f->vm, id)->next)
        sum = sum_table(f, space_of(&f->vm, id)->root, f->vm.state->levels, sum ^ id);
    return sum;
}

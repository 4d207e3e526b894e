// SPDX-License-Identifier: MIT
// The fake kernel: objects, portals and slots with the rules of ipc/syscalls.h.
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#include "servers/vmm/core/portal.h"
#include "servers/vmm/core/window.h"

// Whether this call is the one that the test wants to fail.
static bool is_to_fail(struct fake *f)
{
    return f->fail_call && !--f->fail_call;
}

// The frame that the kernel would see at an index: a walk of the kernel's half, by shifts and
// masks.
static uint64_t window_frame(struct fake *f, uint32_t index)
{
    uint64_t va = 0xffffff8000000000ull + ((uint64_t)index << 12);
    uint64_t table = f->info.vmm_root;
    for (unsigned shift = 12 + 9 * (f->info.levels - 1); shift >= 12; shift -= 9) {
        uint64_t entry;
        memcpy(&entry, f->memory + table + (va >> shift & 511) * 8, 8);
        if (!(entry & 1))
            return 0;
        assert_false(entry & 4); // never for user code
        table = entry & 0xffffffffff000;
    }
    return table;
}

static struct fake_object *object_at(struct fake *f, uint32_t index, enum kernel_object kind)
{
    return index < FAKE_OBJECTS && f->objects[index].kind == kind ? &f->objects[index] : NULL;
}

static struct fake_portal *portal_at(struct fake *f, uint32_t number)
{
    struct fake_object *o = object_at(f, number / PORTALS_IN_FRAME, KERNEL_PORTALS);
    return o ? &o->portals[number % PORTALS_IN_FRAME] : NULL;
}

static void report(struct fake *f, enum message_event event, uint64_t badge, uint64_t word)
{
    assert_true(f->n_reports < sizeof f->reports / sizeof f->reports[0]);
    f->reports[f->n_reports++] = (struct fake_report){event, badge, word};
}

static void drop_portal(struct fake *f, uint32_t number)
{
    struct fake_portal *p = portal_at(f, number);
    assert_non_null(p);
    assert_true(p->refs > 0);
    if (--p->refs)
        return;
    if (!p->is_dead && p->endpoint == VMM_OBJECT_ENDPOINT)
        report(f, EVENT_LAST_REFERENCE, p->badge, number);
    else
        report(f, EVENT_PORTAL_UNUSED, 0, number); // its server has heard it at once
}

void kernel_drop(struct fake *f, struct fake_cap *cap)
{
    struct fake_cap old = *cap;
    *cap = (struct fake_cap){CAP_NONE, 0};
    if (old.type == CAP_PORTAL)
        drop_portal(f, old.value);
    if (old.type == CAP_ENDPOINT && !--f->objects[old.value].refs)
        report(f, EVENT_ENDPOINT_UNUSED, 0, old.value);
}

struct fake_cap kernel_copy(struct fake *f, struct fake_cap cap)
{
    if (cap.type == CAP_PORTAL)
        portal_at(f, cap.value)->refs++;
    if (cap.type == CAP_ENDPOINT)
        f->objects[cap.value].refs++;
    return cap;
}

bool kernel_portal_info(struct fake *f, uint32_t number, uint32_t *endpoint, uint64_t *badge)
{
    struct fake_portal *p = portal_at(f, number);
    if (!p || p->is_dead || !p->refs)
        return false;
    *endpoint = p->endpoint;
    *badge = p->badge;
    return true;
}

// Whether a report still stands, and what its receipt does.
bool kernel_hear(struct fake *f, const struct fake_report *r)
{
    if (r->event == EVENT_ENDPOINT_UNUSED)
        return f->objects[r->word].refs == 0;
    struct fake_portal *p = portal_at(f, (uint32_t)r->word);
    if (p->refs)
        return false; // minted again meanwhile
    if (r->event == EVENT_LAST_REFERENCE && p->is_dead)
        return false;
    *p = (struct fake_portal){0};
    return true;
}

// A frame for a new object: the first word says that there is none.
static void assert_donated(struct fake *f, uint32_t index)
{
    uint64_t frame = window_frame(f, index), first;
    assert_true(frame != 0);
    memcpy(&first, f->memory + frame, sizeof first);
    assert_int_equal(first, 0);
    assert_int_equal(f->objects[index].kind, 0);
}

// The kernel's now.
static void take_frame(struct fake *f, uint32_t index)
{
    memset(f->memory + window_frame(f, index), 0xa5, PAGE_SIZE);
}

static status_t object_create_call(void *context, uint32_t index, enum kernel_object kind,
                                   uint32_t slot)
{
    struct fake *f = context;
    assert_donated(f, index);
    if (is_to_fail(f))
        return E_LIMIT;
    struct fake_object *o = &f->objects[index];
    *o = (struct fake_object){.kind = (uint8_t)kind};
    if (kind == KERNEL_PORTALS)
        o->portals = calloc(PORTALS_IN_FRAME, sizeof *o->portals);
    if (kind == KERNEL_ENDPOINT) {
        assert_int_equal(f->slots[slot].type, CAP_NONE);
        f->slots[slot] = (struct fake_cap){CAP_ENDPOINT, index};
        o->refs = 1;
    }
    take_frame(f, index);
    return OK;
}

static bool endpoint_is_used(struct fake *f, uint32_t index)
{
    for (unsigned i = 0; i < FAKE_OBJECTS; i++)
        for (unsigned j = 0; f->objects[i].kind == KERNEL_PORTALS && j < PORTALS_IN_FRAME; j++)
            if (f->objects[i].portals[j].endpoint == index && !f->objects[i].portals[j].is_dead &&
                f->objects[i].portals[j].refs)
                return true;
    return f->objects[index].refs;
}

static status_t object_destroy_call(void *context, uint32_t index)
{
    struct fake *f = context;
    struct fake_object *o = &f->objects[index];
    assert_true(window_frame(f, index) != 0);
    assert_int_not_equal(o->kind, 0);
    kernel_drop(f, &o->pager);
    if (o->kind == KERNEL_TASK)
        for (unsigned i = 0; i < SLOTS_FIRST; i++)
            if (o->slots[i].type != CAP_NONE) {
                kernel_drop(f, &o->slots[i]);
                return E_MORE; // one at a time
            }
    if (o->kind == KERNEL_TASK) {
        for (unsigned i = 0; i < FAKE_OBJECTS; i++)
            if (f->objects[i].kind == KERNEL_SLOTS && f->objects[i].refs == index)
                f->objects[i] = (struct fake_object){0};
        for (unsigned i = 0; i < FAKE_SLOTS; i++)
            if (f->slots[i].type == CAP_REPLY && f->slots[i].value == index)
                f->slots[i] = (struct fake_cap){CAP_NONE, 0};
    }
    if (o->kind == KERNEL_ENDPOINT && endpoint_is_used(f, index))
        return E_BUSY;
    for (unsigned i = 0; o->kind == KERNEL_PORTALS && i < PORTALS_IN_FRAME; i++)
        if (o->portals[i].refs || o->portals[i].endpoint || o->portals[i].is_dead)
            return E_BUSY;
    free(o->portals);
    *o = (struct fake_object){0};
    return OK;
}

static status_t mint(struct fake *f, uint32_t portal, uint32_t endpoint, uint64_t badge)
{
    struct fake_portal *p = portal_at(f, portal);
    assert_non_null(p);
    if (p->endpoint && (p->endpoint != endpoint || p->badge != badge || p->is_dead))
        return E_STATE;
    p->endpoint = endpoint;
    p->badge = badge;
    p->refs++;
    return OK;
}

static void start_give(struct fake *f, const struct start *s, struct fake_object *o)
{
    o->slots[TASK_SLOT_PAGER] = (struct fake_cap){CAP_PORTAL, s->portal};
    if (s->answer)
        f->slots[s->answer] = kernel_copy(f, o->slots[TASK_SLOT_PAGER]);
    if (s->self)
        o->slots[TASK_SLOT_SELF] = (struct fake_cap){CAP_PORTAL, s->self};
    if (s->parent)
        o->slots[TASK_SLOT_PARENT] = f->slots[s->parent];
    f->slots[s->parent] = (struct fake_cap){CAP_NONE, 0};
}

static status_t task_start(void *context, const struct start *s)
{
    struct fake *f = context;
    struct fake_object *o = &f->objects[s->index];
    assert_donated(f, s->index);
    if (is_to_fail(f))
        return E_LIMIT;
    assert_true(s->priority <= PRIORITY_MAX);
    assert_true(s->root && s->root % PAGE_SIZE == 0);
    assert_int_equal(portal_at(f, s->portal)->endpoint, 0); // is new
    assert_true(!s->answer || f->slots[s->answer].type == CAP_NONE);
    bool is_probe = s->rip == (f->info.levels == 4 ? 0xffffff0000000000 : 0xfffe000000000000);
    if (s->rip >> 47 && f->info.levels == 4 && !is_probe)
        return E_INVAL;
    if (s->parent && f->slots[s->parent].type == CAP_NONE)
        return E_SLOT;
    if (s->self && (portal_at(f, s->self)->is_dead || !portal_at(f, s->self)->endpoint))
        return E_STATE;
    if (s->self)
        portal_at(f, s->self)->refs++;
    assert_int_equal(mint(f, s->portal, VMM_OBJECT_ENDPOINT, s->badge), OK);
    *o = (struct fake_object){.kind = KERNEL_TASK, .runs = !s->is_held, .rip = s->rip};
    o->root = s->root;
    start_give(f, s, o);
    take_frame(f, s->index);
    return OK;
}

static status_t task_resume(void *context, uint32_t task)
{
    struct fake *f = context;
    struct fake_object *o = object_at(f, task, KERNEL_TASK);
    assert_non_null(o);
    assert_false(o->runs);
    if (is_to_fail(f))
        return E_LIMIT;
    o->runs = true;
    return OK;
}

static status_t task_pager(void *context, uint32_t task, uint32_t send)
{
    struct fake *f = context;
    assert_int_equal(f->objects[task].kind, KERNEL_TASK);
    assert_true(!send || f->slots[send].type == CAP_PORTAL);
    if (is_to_fail(f))
        return E_RIGHT;
    kernel_drop(f, &f->objects[task].pager);
    if (send) {
        f->objects[task].pager = f->slots[send];
        f->slots[send] = (struct fake_cap){0};
    }
    return OK;
}

static status_t task_slots(void *context, uint32_t task, uint32_t index)
{
    struct fake *f = context;
    unsigned n = 0;
    assert_int_equal(f->objects[task].kind, KERNEL_TASK);
    assert_true(window_frame(f, index) != 0);
    assert_int_equal(f->objects[index].kind, 0);
    for (unsigned i = 0; i < FAKE_OBJECTS; i++)
        n += f->objects[i].kind == KERNEL_SLOTS && f->objects[i].refs == task;
    if (is_to_fail(f) || n == 8)
        return E_LIMIT;
    f->objects[index] = (struct fake_object){.kind = KERNEL_SLOTS, .refs = task};
    return OK;
}

static status_t slot_give(void *context, uint32_t task, uint32_t slot, uint32_t send)
{
    struct fake *f = context;
    struct fake_object *o = object_at(f, task, KERNEL_TASK);
    assert_non_null(o);
    assert_false(o->runs);
    if (is_to_fail(f))
        return E_LIMIT;
    if (f->slots[send].type == CAP_NONE)
        return E_SLOT;
    if (o->slots[slot].type != CAP_NONE)
        return E_OCCUPIED;
    o->slots[slot] = f->slots[send];
    f->slots[send] = (struct fake_cap){CAP_NONE, 0};
    return OK;
}

static status_t portal_mint_call(void *context, uint32_t portal, uint32_t endpoint, uint64_t badge,
                                 uint32_t slot, uint64_t flags)
{
    struct fake *f = context;
    (void)flags;
    assert_non_null(portal_at(f, portal));
    assert_non_null(object_at(f, endpoint, KERNEL_ENDPOINT));
    assert_int_equal(f->slots[slot].type, CAP_NONE);
    if (is_to_fail(f))
        return E_LIMIT;
    status_t status = mint(f, portal, endpoint, badge);
    if (status != OK)
        return status;
    f->slots[slot] = (struct fake_cap){CAP_PORTAL, portal};
    return OK;
}

static status_t portals_revoke(void *context, uint32_t index, uint64_t low, uint64_t high)
{
    struct fake *f = context;
    f->n_revokes++;
    for (uint32_t place = 0; place < 128; place++) {
        if (!((place < 64 ? low >> place : high >> (place - 64)) & 1))
            continue;
        assert_true(place < PORTALS_IN_FRAME);
        struct fake_portal *p = portal_at(f, index * PORTALS_IN_FRAME + place);
        assert_non_null(p);
        if (p->is_dead || !p->endpoint)
            continue;
        p->is_dead = true;
        if (!p->refs)
            report(f, EVENT_PORTAL_UNUSED, 0, index * PORTALS_IN_FRAME + place);
    }
    return OK;
}

static status_t forward(void *context, uint32_t reply, uint32_t portal)
{
    struct fake *f = context;
    const struct fake_cap *to = &f->slots[portal];
    assert_int_equal(f->slots[reply].type, CAP_REPLY);
    if (to->type != CAP_PORTAL)
        return E_SLOT;
    const struct fake_portal *p = portal_at(f, to->value);
    if (p->is_dead)
        return E_REVOKED;
    if (!f->objects[p->endpoint].refs)
        return E_DEAD;
    f->n_forwards++;
    f->forwarded_to = to->value;
    f->forwarded = f->slots[reply];
    f->slots[reply] = (struct fake_cap){CAP_NONE, 0};
    return OK;
}

static void drop(void *context, uint32_t slot)
{
    struct fake *f = context;
    kernel_drop(f, &f->slots[slot]);
}

static void reply(void *context, uint32_t slot, const uint64_t *words)
{
    struct fake *f = context;
    if (f->slots[slot].type != CAP_REPLY)
        return;
    f->replied_to = f->slots[slot].value;
    f->reply_flushes = f->n_flushes;
    f->slots[slot] = (struct fake_cap){CAP_NONE, 0};
    f->n_replies++;
    memcpy(f->reply_words, words, sizeof f->reply_words);
}

static bool is_empty(void *context, uint32_t slot)
{
    return ((struct fake *)context)->slots[slot].type == CAP_NONE;
}

static void flush(void *context, paddr_t root, vaddr_t va, uint64_t pages)
{
    struct fake *f = context;
    f->n_flushes++;
    f->last_flush = (struct flush_entry){.root = root, .va = va, .pages = pages};
}

static void log_line(void *context, const char *line)
{
    struct fake *f = context;
    strncat(f->log, line, sizeof f->log - strlen(f->log) - 2);
    strcat(f->log, "\n");
}

static void power_off(void *context, uint64_t code)
{
    ((struct fake *)context)->power_code = code;
}

static void fail_machine(void *context, const char *line)
{
    log_line(context, line);
    ((struct fake *)context)->n_failures++;
}

const char probe_code[FAKE_PROBE_BYTES] = "\x0f\x05 the probe's code";

const struct ports kernel_ports = {
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
    .power_off = power_off,
    .fail = fail_machine,
    .probe_start = probe_code,
    .probe_end = probe_code + sizeof probe_code,
};

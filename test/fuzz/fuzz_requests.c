// SPDX-License-Identifier: MIT
// libFuzzer: ten bytes are a message to the VMM: a request with any words, through any capability that
// some client may have, with any other carried; a fault or the end of a task; a capability dropped; calls
// to the kernel that fail. After each the audit must find nothing, and at the
// end every frame must be back.
#include <stdlib.h>
#include <string.h>

#include "test/unit/fake/vmm/fake.h"

#define CAPS     16u // that the clients have
#define OPS_MAX  48u
#define OP_BYTES 10u
#define VA       0x400000ull

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

// Two spaces with quotas, whose owners keep what nobody else has; and capabilities by number, of which
// the first are derived from the owners'.
enum fixed { GROUND, OTHER, FIXED };

struct clients {
    struct fake *f;
    struct fake_cap owners[FIXED];
    struct fake_cap caps[CAPS];
    uint32_t first_task; // window index of the first task after init's
};

static const uint64_t quotas[FIXED] = {200, 100};

// Words that programs get wrong: borders, powers, large pages, masks of rights.
static uint64_t odd_word(const struct fake *f, uint8_t byte)
{
    uint64_t n = byte & 15;
    switch (byte >> 4 & 7) {
    case 0:
        return n << 4;
    case 1:
        return VA + n;
    case 2:
        return (f->vm.state->user_pages - n) * PAGE_SIZE;
    case 3:
        return n * 0x200000;
    case 4:
        return ~0ull - n * PAGE_SIZE;
    case 5:
        return 1ull << 4 * n;
    case 6:
        return RIGHTS_ALL >> (n & 3);
    default:
        return 1ull << (45 + n);
    }
}

// Half of the words are what a request would like to have in that place.
static uint64_t word_of(const struct fake *f, enum vmm_request request, unsigned place,
                        uint8_t byte)
{
    bool is_address = place == 1 || (place == 3 && (request == VMM_SHARE || request == VMM_MOVE));
    if (byte >> 7)
        return odd_word(f, byte);
    return is_address ? VA + (byte & 15) * PAGE_SIZE : place == 2 ? 1 + (byte & 7) : byte & 7;
}

// Where nothing is, something else is as good.
static struct fake_cap *cap_of(struct clients *c, uint8_t byte)
{
    struct fake_cap *cap = &c->caps[byte % CAPS];
    return cap->type != CAP_NONE ? cap : &c->caps[byte % FIXED];
}

static void let_go(struct clients *c, struct fake_cap *cap)
{
    if (cap->type != CAP_NONE)
        fake_drop(c->f, cap);
}

static bool is_dead(struct clients *c, struct fake_cap cap)
{
    uint64_t answer[MESSAGE_WORDS];
    return fake_query(c->f, cap, VA, answer) == E_REVOKED;
}

// What a request has revoked or destroyed is there again for the next.
static void revive(struct clients *c, enum fixed i)
{
    if (c->caps[i].type != CAP_NONE && !is_dead(c, c->caps[i]))
        return;
    let_go(c, &c->caps[i]);
    if (c->owners[i].type == CAP_NONE || is_dead(c, c->owners[i])) {
        let_go(c, &c->owners[i]);
        if (fake_create(c->f, c->f->init, quotas[i], &c->owners[i]) != OK)
            abort();
    }
    // If the quota is used up there is none for now.
    (void)!fake_derive(c->f, c->owners[i], 0, c->f->vm.state->user_pages, RIGHTS_SPACE,
                       &c->caps[i]);
}

static void request(struct clients *c, const uint8_t *op)
{
    enum vmm_request opcode = (enum vmm_request)(op[1] % (VMM_REQUESTS + 1));
    uint64_t words[MESSAGE_WORDS] = {vmm_word0(opcode, op[2] & 0x1f)};
    struct fake_cap got = {CAP_NONE, 0}, *into = &c->caps[op[4] % CAPS];
    struct fake_cap *carried = op[3] >> 4 ? cap_of(c, op[3] >> 4) : NULL;
    for (unsigned i = 1; i < MESSAGE_WORDS; i++)
        words[i] = word_of(c->f, opcode, i, op[4 + i]);
    if (opcode == VMM_POWER_OFF)
        return;
    (void)!fake_call(c->f, *cap_of(c, op[3] & 15), words, carried, op[2] >> 5 ? &got : NULL, NULL);
    if (got.type == CAP_NONE)
        return;
    if (into < c->caps + FIXED)
        into += FIXED;
    let_go(c, into);
    *into = got;
}

// A task's fault, or its end: any that runs but init.
static void event(struct clients *c, const uint8_t *op)
{
    const uint64_t words[4] = {op[1] & 1 ? 14 : op[1] % 32, (op[2] & 0x1f) | 4u,
                               word_of(c->f, VMM_MAP, 1, op[5]) + (op[6] & 7), VA};
    unsigned n = op[3] % 8;
    for (uint32_t i = c->first_task; i < FAKE_OBJECTS; i++) {
        if (c->f->objects[i].kind != KERNEL_TASK || n--)
            continue;
        (void)fake_event(c->f, i, op[4] & 1 ? EVENT_EXCEPTION : EVENT_EXIT, words);
        break;
    }
    fake_pump(c->f);
}

static void serve(struct clients *c, const uint8_t *op)
{
    revive(c, GROUND);
    revive(c, OTHER);
    switch (op[0] % 16) {
    case 0:
        if (op[1] % CAPS >= FIXED)
            let_go(c, cap_of(c, op[1]));
        break;
    case 1:
        event(c, op);
        break;
    case 2:
        c->f->fail_call = 1 + op[0] / 64u;
        request(c, op);
        c->f->fail_call = 0;
        break;
    default:
        request(c, op);
    }
    if (fake_audit(c->f))
        abort();
}

// A machine is booted once for each number of levels: what is ended leaves it as it was.
static struct clients begin(uint32_t levels)
{
    static struct fake *machines[2];
    struct fake **f = &machines[levels - 4];
    if (!*f)
        *f = fake_boot((struct fake_config){levels, 6, 7});
    struct clients c = {.f = *f};
    c.first_task = 2;
    while (c.f->objects[c.first_task].kind != KERNEL_TASK)
        c.first_task++;
    c.first_task++;
    return c;
}

// Quotas are taken back, whatever was made on them.
static void end(struct clients *c)
{
    const uint64_t destroy[MESSAGE_WORDS] = {vmm_word0(VMM_SPACE_DESTROY, 0)};
    for (unsigned i = 0; i < FIXED; i++)
        while (fake_call(c->f, c->owners[i], destroy, NULL, NULL, NULL) == E_MORE)
            continue;
    for (unsigned i = 0; i < CAPS; i++)
        let_go(c, &c->caps[i]);
    for (unsigned i = 0; i < FIXED; i++)
        let_go(c, &c->owners[i]);
    fake_pump(c->f);
    if (fake_audit(c->f) || c->f->vm.state->n_free != c->f->n_free)
        abort();
    c->f->log[0] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    if (len < 1 + OP_BYTES || len > 1 + OP_BYTES * OPS_MAX)
        return -1;
    struct clients c = begin(bytes[0] & 1 ? 5 : 4);
    for (size_t i = 1; i + OP_BYTES <= len; i += OP_BYTES)
        serve(&c, bytes + i);
    end(&c);
    return 0;
}

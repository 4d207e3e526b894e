// SPDX-License-Identifier: MIT
#include "kernel/console.h"

#include "kernel/arch.h"
#include "kernel/endpoint.h"
#include "kernel/portal.h"
#include "kernel/syscall.h"

#define RING_BYTES 1024u // a power of two

// Bytes begin..end (modulo the size) are taken in and not read yet.
static struct {
    uint32_t begin, end;
    char bytes[RING_BYTES];
    struct portal *listener; // one reference held; notified once, then forgotten
} input;

// Takes in what the port has; what does not fit stays in the port.
static void fill(void)
{
    while (input.end - input.begin < RING_BYTES &&
           arch_console_read(&input.bytes[input.end % RING_BYTES], 1))
        input.end++;
}

static void set_listener(struct portal *p)
{
    struct portal *old = input.listener;
    input.listener = p;
    if (old)
        portal_release(old);
}

static status_t listen(struct task *t, slot_t number)
{
    struct slot *s = slot_of_type(t, number, SLOT_PORTAL);
    if (!s)
        return E_SLOT;
    if (!(s->flags & SLOT_NOTIFY))
        return E_RIGHT;
    status_t status = portal_hold(s->portal);
    if (status == OK)
        set_listener(s->portal);
    return status;
}

status_t console_read(struct task *t)
{
    if (!slot_of_type(t, header_target(t->regs.rax), SLOT_CONSOLE_CAP))
        return E_SLOT;
    fill();
    if (input.begin == input.end && t->regs.w[0]) {
        status_t status = t->regs.w[0] > SLOT_MAX ? E_SLOT : listen(t, (slot_t)t->regs.w[0]);
        if (status != OK)
            return status;
    }
    task_return(t, OK);
    uint32_t n = 0;
    for (; n < LOG_BYTES && input.begin != input.end; n++, input.begin++)
        t->regs.w[n / 8] |= (uint64_t)(uint8_t)input.bytes[input.begin % RING_BYTES] << n % 8 * 8;
    t->regs.rbx = n;
    // Empties the port, so that it raises its next interrupt; what came meanwhile raised its last.
    console_interrupt();
    return OWN_RESULT;
}

void console_interrupt(void)
{
    fill();
    struct portal *p = input.listener;
    if (!p || input.begin == input.end)
        return;
    input.listener = NULL;
    if (p->endpoint)
        endpoint_notify(p->endpoint, p->badge);
    portal_release(p);
}

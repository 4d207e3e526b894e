// SPDX-License-Identifier: MIT
#include "kernel/log.h"

#include "ipc/rt.h"
#include "kernel/arch.h"

#define RING_BYTES 4096u // a power of two

// More than a call can add: the line so far, and what it brings, every byte a line of its own.
#define ROOM_NEEDED (LOG_LINE_BYTES + 2 * LOG_BYTES)

// Bytes begin..end (modulo the size) are still to be sent.
static struct {
    uint32_t begin, end;
    char bytes[RING_BYTES];
} output;

// How much lies in one piece from `begin` on, which is not the ring's end.
static uint32_t piece(uint32_t begin, uint32_t len)
{
    uint32_t rest = RING_BYTES - begin % RING_BYTES;
    return len < rest ? len : rest;
}

static void ring_add(const char *text, uint32_t len)
{
    uint32_t first = piece(output.end, len);
    memcpy(&output.bytes[output.end % RING_BYTES], text, first);
    memcpy(output.bytes, text + first, len - first);
    output.end += len;
}

void log_send(void)
{
    uint32_t n = piece(output.begin, output.end - output.begin);
    if (n)
        output.begin += (uint32_t)arch_console_send(&output.bytes[output.begin % RING_BYTES], n);
}

void log_flush(void)
{
    while (output.begin != output.end) {
        uint32_t n = piece(output.begin, output.end - output.begin);
        arch_console_write(&output.bytes[output.begin % RING_BYTES], n);
        output.begin += n;
    }
}

static bool has_room(void)
{
    return RING_BYTES - (output.end - output.begin) >= ROOM_NEEDED;
}

// False: something was sent instead, which is enough for one call, and there may be room next time.
static bool make_room(void)
{
    bool is_there = has_room();
    if (!is_there)
        log_send();
    return is_there;
}

static void line_flush(struct task *t)
{
    ring_add(t->line, t->n_logged);
    output.bytes[output.end++ % RING_BYTES] = '\n';
    t->n_logged = 0;
}

static void line_append(struct task *t, char c)
{
    if (c == '\n') {
        line_flush(t);
        return;
    }
    if (t->n_logged == LOG_LINE_BYTES)
        line_flush(t);
    bool is_text = (c >= ' ' && c <= '~') || c == '\t';
    t->line[t->n_logged++] = is_text ? c : '?';
}

status_t log_end(struct task *t)
{
    if (!make_room())
        return E_MORE;
    if (t->n_logged)
        line_flush(t);
    log_send();
    return OK;
}

status_t log_call(struct task *t)
{
    if (!make_room())
        return E_MORE;
    for (unsigned i = 0; i < LOG_BYTES; i++) {
        char c = (char)(t->regs.w[i / 8] >> i % 8 * 8);
        if (!c)
            break;
        line_append(t, c);
    }
    log_send();
    return OK;
}

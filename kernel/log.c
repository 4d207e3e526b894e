// SPDX-License-Identifier: MIT
#include "kernel/log.h"

#include "kernel/arch.h"

static void line_flush(struct task *t)
{
    arch_console_write(t->line, t->n_logged);
    arch_console_write("\n", 1);
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

void log_end(struct task *t)
{
    if (t->n_logged)
        line_flush(t);
}

status_t log_call(struct task *t)
{
    for (unsigned i = 0; i < LOG_BYTES; i++) {
        char c = (char)(t->regs.w[i / 8] >> i % 8 * 8);
        if (!c)
            break;
        line_append(t, c);
    }
    return OK;
}

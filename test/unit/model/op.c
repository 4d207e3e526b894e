// SPDX-License-Identifier: MIT
#include "op.h"

#include <stdio.h>

#include "ipc/vmm_protocol.h"

static const char *size_text(unsigned flags)
{
    return flags & MAP_2M ? " 2M" : flags & MAP_1G ? " 1G" : "";
}

static int print_words(const struct op *op, const struct universe *u, char *text, size_t n)
{
    char prot[4] = {op->prot & PROT_R ? 'r' : '-', op->prot & PROT_W ? 'w' : '-',
                    op->prot & PROT_X ? 'x' : '-'};
    unsigned long long va = plot_va(u, op->first), pages = range_pages(u, op->first, op->n);
    unsigned long long va2 = plot_va(u, op->at);
    switch (op->kind) {
    case OP_CREATE:
        return snprintf(text, n, "create (from n%u) quota %u", op->name, op->quota);
    case OP_CLONE:
        return snprintf(text, n, "clone n%u %s quota %u", op->name,
                        op->flags == CLONE_COW ? "cow" : "copy", op->quota);
    case OP_SNAPSHOT:
        return snprintf(text, n, "snapshot n%u quota %u", op->name, op->quota);
    case OP_ROLLBACK:
        return snprintf(text, n, "rollback n%u n%u", op->name, op->other);
    case OP_DIFF:
        return snprintf(text, n, "diff n%u n%u", op->name, op->other);
    case OP_REVOKE:
        return snprintf(text, n, "revoke n%u (through n%u)", op->other, op->name);
    case OP_DROP:
        return snprintf(text, n, "drop n%u", op->name);
    case OP_DERIVE:
        return snprintf(text, n, "derive n%u 0x%llx %llu %s", op->name, va, pages, prot);
    case OP_MAP:
        return snprintf(text, n, "map n%u 0x%llx %llu %s %s%s%s", op->name, va, pages, prot,
                        op->flags & MAP_LAZY ? "lazy" : "now", size_text(op->flags),
                        op->flags & MAP_REPLACE ? " replace" : "");
    case OP_UNMAP:
        return snprintf(text, n, "unmap n%u 0x%llx %llu", op->name, va, pages);
    case OP_PROTECT:
        return snprintf(text, n, "protect n%u 0x%llx %llu %s", op->name, va, pages, prot);
    case OP_SHARE:
    case OP_MOVE:
        return snprintf(text, n, "%s n%u 0x%llx %llu n%u 0x%llx %s",
                        op->kind == OP_SHARE ? "share" : "move", op->name, va, pages, op->other,
                        va2, prot);
    case OP_WRITE:
        return snprintf(text, n, "write n%u 0x%llx %u (cpu %u)", op->name, va, op->value, op->cpu);
    default:
        return snprintf(text, n, "%s n%u 0x%llx (cpu %u)", op->kind == OP_READ ? "read" : "exec",
                        op->name, va, op->cpu);
    }
}

void op_print(const struct op *op, const struct universe *u, char text[OP_TEXT])
{
    static const char *const twists[TWISTS] = {"", ", unaligned", ", no pages",
                                               ", past the user half", ", wrapping"};
    int at = print_words(op, u, text, OP_TEXT);
    at += snprintf(text + at, OP_TEXT - (size_t)at, "%s", twists[op->twist]);
    if (op->squeeze)
        snprintf(text + at, OP_TEXT - (size_t)at, ", %u frames free", op->squeeze - 1u);
}

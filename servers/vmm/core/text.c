// SPDX-License-Identifier: MIT
#include "text.h"

void text_add(struct text *t, const char *bytes)
{
    while (*bytes && t->len < TEXT_BYTES - 1)
        t->bytes[t->len++] = *bytes++;
    t->bytes[t->len] = '\0';
}

static void add_number(struct text *t, uint64_t n, unsigned base)
{
    char digits[21];
    unsigned i = sizeof digits - 1;
    digits[i] = '\0';
    do {
        digits[--i] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n);
    text_add(t, &digits[i]);
}

void text_add_decimal(struct text *t, uint64_t n)
{
    add_number(t, n, 10);
}

void text_add_hex(struct text *t, uint64_t n)
{
    text_add(t, "0x");
    add_number(t, n, 16);
}

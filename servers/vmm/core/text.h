// SPDX-License-Identifier: MIT
// Lines for the log, put together without a libc. What does not fit is cut.
#pragma once

#include <stdint.h>

#define TEXT_BYTES 160u

struct text {
    char bytes[TEXT_BYTES]; // always NUL-terminated
    unsigned len;
};

void text_add(struct text *t, const char *bytes);
void text_add_decimal(struct text *t, uint64_t n);
void text_add_hex(struct text *t, uint64_t n);

// SPDX-License-Identifier: MIT
// Input lines, put together byte by byte. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LINE_BYTES 4096u // that are kept of a line, NUL included: `write` with 1024 bytes fits

struct line {
    size_t len;
    bool is_blank;    // so far
    bool is_comment;  // the first byte that is no blank was a '#'
    bool has_garbage; // a byte that is not text came
    bool is_long;     // more came than fits; the rest is not kept
    char text[LINE_BYTES];
};

void line_begin(struct line *line);

// Takes one byte; answers whether it was the line's end. Then the text ends in a NUL, and a carriage
// return before the end is gone.
bool line_add(struct line *line, char byte);

// Whether the line wants an answer: it is not blank and no comment, however long it is and whatever
// bytes are in it.
bool line_is_command(const struct line *line);

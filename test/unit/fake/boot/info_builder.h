// SPDX-License-Identifier: MIT
// Writes Multiboot2 boot information, right or wrong, as a boot loader would.
#pragma once

#include <stdint.h>

enum info_tag { TAG_END, TAG_COMMAND_LINE, TAG_NAME, TAG_MODULE, TAG_MAP = 6 };

struct info_builder {
    unsigned char bytes[32768];
    uint32_t len;
};

// Empties the builder and writes the header; info_finish() adds the end tag and fills in the total.
void info_begin(struct info_builder *b);
void info_finish(struct info_builder *b);

void info_put32(struct info_builder *b, uint32_t value);
void info_put64(struct info_builder *b, uint64_t value);
void info_set32(struct info_builder *b, uint32_t at, uint32_t value);

// Begins a tag at the next multiple of 8 and answers where; info_end_tag() fills in its size.
uint32_t info_begin_tag(struct info_builder *b, uint32_t type);
void info_end_tag(struct info_builder *b, uint32_t at);

// Whole tags; they answer where they begin. A map is begun, filled with regions and ended.
uint32_t info_add_text(struct info_builder *b, uint32_t type, const char *text);
uint32_t info_add_module(struct info_builder *b, uint32_t start, uint32_t end, const char *name);
uint32_t info_begin_map(struct info_builder *b);
void info_put_region(struct info_builder *b, uint64_t start, uint64_t len, uint32_t type);

// A map of one region of RAM.
void info_add_map(struct info_builder *b);

// SPDX-License-Identifier: MIT
#include "test/unit/fake/boot/info_builder.h"

#include <assert.h>
#include <string.h>

#include "boot/multiboot2.h"

static void put(struct info_builder *b, const void *bytes, uint32_t len)
{
    assert(b->len + len <= sizeof(b->bytes));
    memcpy(b->bytes + b->len, bytes, len);
    b->len += len;
}

void info_put32(struct info_builder *b, uint32_t value)
{
    put(b, &value, sizeof(value));
}

void info_put64(struct info_builder *b, uint64_t value)
{
    put(b, &value, sizeof(value));
}

void info_set32(struct info_builder *b, uint32_t at, uint32_t value)
{
    memcpy(b->bytes + at, &value, sizeof(value));
}

void info_begin(struct info_builder *b)
{
    memset(b, 0, sizeof(*b));
    info_put64(b, 0); // total size, reserved
}

uint32_t info_begin_tag(struct info_builder *b, uint32_t type)
{
    b->len = (b->len + 7) & ~7u;
    uint32_t at = b->len;
    info_put32(b, type);
    info_put32(b, 0);
    return at;
}

void info_end_tag(struct info_builder *b, uint32_t at)
{
    info_set32(b, at + 4, b->len - at);
}

void info_finish(struct info_builder *b)
{
    info_end_tag(b, info_begin_tag(b, TAG_END));
    info_set32(b, 0, b->len);
}

uint32_t info_add_text(struct info_builder *b, uint32_t type, const char *text)
{
    uint32_t at = info_begin_tag(b, type);
    put(b, text, (uint32_t)strlen(text) + 1);
    info_end_tag(b, at);
    return at;
}

uint32_t info_add_module(struct info_builder *b, uint32_t start, uint32_t end, const char *name)
{
    uint32_t at = info_begin_tag(b, TAG_MODULE);
    info_put32(b, start);
    info_put32(b, end);
    put(b, name, (uint32_t)strlen(name) + 1);
    info_end_tag(b, at);
    return at;
}

uint32_t info_begin_map(struct info_builder *b)
{
    uint32_t at = info_begin_tag(b, TAG_MAP);
    info_put32(b, 24);
    info_put32(b, 0);
    return at;
}

void info_put_region(struct info_builder *b, uint64_t start, uint64_t len, uint32_t type)
{
    info_put64(b, start);
    info_put64(b, len);
    info_put32(b, type);
    info_put32(b, 0);
}

void info_add_map(struct info_builder *b)
{
    uint32_t at = info_begin_map(b);
    info_put_region(b, 0x100000, 0x3f00000, MULTIBOOT_RAM);
    info_end_tag(b, at);
}

// SPDX-License-Identifier: MIT
#include "boot/multiboot2.h"

#include "ipc/rt.h"

enum tag_type { TAG_END, TAG_COMMAND_LINE, TAG_MODULE = 3, TAG_MEMORY_MAP = 6 };

struct information_header {
    uint32_t total_bytes;
    uint32_t reserved;
};

struct tag_header {
    uint32_t type;
    uint32_t bytes; // this header included
};

struct module_tag {
    struct tag_header header;
    uint32_t start;
    uint32_t end;
    // the command line follows
};

struct memory_map_tag {
    struct tag_header header;
    uint32_t entry_bytes; // may grow in later versions of the specification
    uint32_t entry_version;
    // the entries follow
};

struct memory_map_entry {
    uint64_t start;
    uint64_t len_bytes;
    uint32_t type;
    uint32_t reserved;
};

_Static_assert(sizeof(struct memory_map_entry) == 24, "Multiboot2 3.6.8");

// A tag whose `len` bytes have been found to lie within the information.
struct tag {
    const char *bytes;
    uint64_t len;
};

// The string that begins `at` bytes into the tag and ends within it; NULL if it does not.
static const char *tag_string(const struct tag *tag, uint64_t at)
{
    for (uint64_t i = at; i < tag->len; i++) {
        if (tag->bytes[i] == '\0')
            return tag->bytes + at;
    }
    return NULL;
}

static status_t read_command_line(const struct tag *tag, struct multiboot *out)
{
    const char *text = tag_string(tag, sizeof(struct tag_header));
    if (text == NULL)
        return E_FORMAT;
    out->command_line = text;
    return OK;
}

static status_t read_module(const struct tag *tag, struct multiboot *out)
{
    struct module_tag module;
    if (tag->len < sizeof(module))
        return E_FORMAT;
    memcpy(&module, tag->bytes, sizeof(module));
    const char *name = tag_string(tag, sizeof(module));
    if (name == NULL || module.end < module.start)
        return E_FORMAT;
    if (out->n_modules == MULTIBOOT_MODULES_MAX)
        return E_LIMIT;
    out->modules[out->n_modules++] = (struct multiboot_module){
        .start = module.start, .len_bytes = module.end - module.start, .name = name};
    return OK;
}

static status_t read_region(const struct memory_map_entry *entry, struct multiboot *out)
{
    if (entry->len_bytes == 0)
        return OK;
    if (entry->start + (entry->len_bytes - 1) < entry->start)
        return E_OVERFLOW;
    if (out->n_regions == MULTIBOOT_REGIONS_MAX)
        return E_LIMIT;
    out->regions[out->n_regions++] = (struct multiboot_region){
        .start = entry->start, .len_bytes = entry->len_bytes, .type = entry->type};
    return OK;
}

static status_t read_memory_map(const struct tag *tag, struct multiboot *out)
{
    struct memory_map_tag map;
    struct memory_map_entry entry;
    if (tag->len < sizeof(map) || out->n_regions != 0)
        return E_FORMAT;
    memcpy(&map, tag->bytes, sizeof(map));
    if (map.entry_bytes < sizeof(entry) || (tag->len - sizeof(map)) % map.entry_bytes != 0)
        return E_FORMAT;
    for (uint64_t at = sizeof(map); at < tag->len; at += map.entry_bytes) {
        memcpy(&entry, tag->bytes + at, sizeof(entry));
        status_t status = read_region(&entry, out);
        if (status != OK)
            return status;
    }
    return OK;
}

static status_t read_tag(uint32_t type, const struct tag *tag, struct multiboot *out)
{
    switch (type) {
    case TAG_COMMAND_LINE:
        return read_command_line(tag, out);
    case TAG_MODULE:
        return read_module(tag, out);
    case TAG_MEMORY_MAP:
        return read_memory_map(tag, out);
    default:
        return OK;
    }
}

// Walks the tags, each of which moves `at` on by at least its header, to the end tag.
static status_t read_tags(const char *bytes, uint64_t total, struct multiboot *out)
{
    uint64_t at = sizeof(struct information_header);
    while (at <= total && total - at >= sizeof(struct tag_header)) {
        struct tag_header header;
        memcpy(&header, bytes + at, sizeof(header));
        if (header.bytes < sizeof(header) || header.bytes > total - at)
            return E_FORMAT;
        if (header.type == TAG_END)
            return OK;
        const struct tag tag = {.bytes = bytes + at, .len = header.bytes};
        status_t status = read_tag(header.type, &tag, out);
        if (status != OK)
            return status;
        at += ((uint64_t)header.bytes + 7) & ~7ull; // tags begin at multiples of 8
    }
    return E_FORMAT;
}

status_t multiboot_parse(const void *info, uint64_t len_max, struct multiboot *out)
{
    struct information_header header;
    if (len_max < sizeof(header))
        return E_FORMAT;
    memcpy(&header, info, sizeof(header));
    if (header.total_bytes > len_max)
        return E_FORMAT;
    struct multiboot found = {.len_bytes = header.total_bytes, .command_line = ""};
    status_t status = read_tags(info, header.total_bytes, &found);
    if (status != OK)
        return status;
    if (found.n_regions == 0)
        return E_NOREGION;
    *out = found;
    return OK;
}

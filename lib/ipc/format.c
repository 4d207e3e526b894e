// SPDX-License-Identifier: MIT
#include "ipc/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "ipc/rt.h"

#define WIDTH_MAX 200u

struct output {
    char *buffer;
    size_t size;
    size_t length; // of the whole text, also of what did not fit
};

struct conversion {
    bool left;
    bool zero;
    bool is_long;
    unsigned width;
    char type;
};

static void put(struct output *out, char c)
{
    if (out->length + 1 < out->size)
        out->buffer[out->length] = c;
    out->length++;
}

static void put_many(struct output *out, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(out, c);
}

static void put_field(struct output *out, const struct conversion *conversion, const char *text,
                      size_t len)
{
    size_t fill = conversion->width > len ? conversion->width - len : 0;
    if (!conversion->left)
        put_many(out, ' ', fill);
    for (size_t i = 0; i < len; i++)
        put(out, text[i]);
    if (conversion->left)
        put_many(out, ' ', fill);
}

static void put_number(struct output *out, const struct conversion *conversion, bool negative,
                       uint64_t value)
{
    unsigned base = conversion->type == 'x' ? 16 : 10;
    char digits[WIDTH_MAX + 2]; // filled from the end
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    size_t wanted = conversion->zero && !conversion->left ? conversion->width : 0;
    while (sizeof digits - at + negative < wanted)
        digits[--at] = '0';
    if (negative)
        digits[--at] = '-';
    put_field(out, conversion, digits + at, sizeof digits - at);
}

static void put_signed(struct output *out, const struct conversion *conversion, int64_t value)
{
    bool negative = value < 0;
    put_number(out, conversion, negative, negative ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_string(struct output *out, const struct conversion *conversion, const char *text)
{
    if (text == NULL)
        text = "(null)";
    put_field(out, conversion, text, strlen(text));
}

// Reads flags, width, length and type behind a '%'; answers where the format goes on.
static const char *parse(const char *format, struct conversion *conversion)
{
    *conversion = (struct conversion){0};
    for (;; format++) {
        if (*format == '-')
            conversion->left = true;
        else if (*format == '0')
            conversion->zero = true;
        else
            break;
    }
    for (; *format >= '0' && *format <= '9'; format++) {
        if (conversion->width <= WIDTH_MAX)
            conversion->width = conversion->width * 10 + (unsigned)(*format - '0');
    }
    if (conversion->width > WIDTH_MAX)
        conversion->width = WIDTH_MAX;
    if (*format == 'l') {
        conversion->is_long = true;
        format++;
    }
    conversion->type = *format;
    return *format == '\0' ? format : format + 1;
}

// A va_list as a parameter cannot portably be taken the address of; in a struct it can.
struct arguments {
    va_list list;
};

// Answers false, having taken no argument, if the conversion is unknown.
static bool convert(struct output *out, const struct conversion *c, struct arguments *arguments)
{
    switch (c->type) {
    case 's':
        put_string(out, c, va_arg(arguments->list, const char *));
        return true;
    case 'c': {
        char one = (char)va_arg(arguments->list, int);
        put_field(out, c, &one, 1);
        return true;
    }
    case 'd':
        put_signed(out, c,
                   c->is_long ? va_arg(arguments->list, long) : va_arg(arguments->list, int));
        return true;
    case 'u':
    case 'x':
        put_number(out, c, false,
                   c->is_long ? va_arg(arguments->list, unsigned long)
                              : va_arg(arguments->list, unsigned));
        return true;
    case '%':
        put(out, '%');
        return true;
    default:
        return false;
    }
}

size_t format_text(char *buffer, size_t size, const char *format, va_list list)
{
    struct output out = {.buffer = buffer, .size = size};
    struct arguments arguments;
    va_copy(arguments.list, list);
    while (*format != '\0') {
        const char *start = format++;
        struct conversion conversion;
        if (*start != '%') {
            put(&out, *start);
            continue;
        }
        format = parse(format, &conversion);
        if (!convert(&out, &conversion, &arguments)) {
            while (start != format)
                put(&out, *start++);
        }
    }
    va_end(arguments.list);
    if (size != 0)
        buffer[out.length < size ? out.length : size - 1] = '\0';
    return out.length;
}

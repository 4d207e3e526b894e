// SPDX-License-Identifier: MIT
// Copies and fills use the string instructions: eight bytes a step, so that they are quick even
// where the CPU has no fast byte strings, and in assembly, so that the compiler cannot turn the
// loop into a call of the very function it is in.
#include "ipc/rt.h"

#include <stdint.h>

static void copy_up(void *to, const void *from, size_t len)
{
    size_t words = len / 8, bytes = len % 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    copy_up(to, from, len);
    return to;
}

// From the last byte down, for ranges of which the end of the source is the start of the target.
static void copy_down(char *to, const char *from, size_t len)
{
    char *out = to + len - 1;
    const char *in = from + len - 1;
    __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(out), "+S"(in), "+c"(len) : : "memory", "cc");
}

void *memmove(void *to, const void *from, size_t len)
{
    if ((uintptr_t)to - (uintptr_t)from >= len)
        copy_up(to, from, len);
    else
        copy_down(to, from, len);
    return to;
}

void *memset(void *to, int byte, size_t len)
{
    void *out = to;
    size_t words = len / 8, bytes = len % 8;
    uint64_t pattern = 0x0101010101010101ull * (uint8_t)byte;
    __asm__ volatile("rep stosq" : "+D"(out), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(out), "+c"(bytes) : "a"(pattern) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < len; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t len = 0;
    while (text[len] != '\0')
        len++;
    return len;
}

int strcmp(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] != '\0' && a[i] == b[i])
        i++;
    return (uint8_t)a[i] - (uint8_t)b[i];
}

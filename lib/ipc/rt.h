// SPDX-License-Identifier: MIT
// The few C library functions that programs without a libc need, and that the compiler calls on its
// own. Signatures and behaviour are ISO C's.
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);

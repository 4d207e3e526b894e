// SPDX-License-Identifier: MIT
// A small printf into a buffer: %s %c %d %u %x %ld %lu %lx %%, each with a width that '0' (numbers)
// or '-' may precede. Pure: no I/O, no allocation.
#pragma once

#include <stdarg.h>
#include <stddef.h>

// Writes at most size - 1 characters and a NUL (nothing if size is 0) and answers how many the
// whole text has: an answer of `size` or more says that it was cut. A conversion that is not in the
// list above is copied as it stands, and takes no argument. A NULL string prints as "(null)".
size_t format_text(char *buffer, size_t size, const char *format, va_list arguments);

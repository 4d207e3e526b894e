// SPDX-License-Identifier: MIT
// The words of a command: numbers, protections, bytes, names. Pure; nothing is believed about them.
// Where a function answers false, its out-parameters are untouched.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX  12u
#define NAME_BYTES 64u // of a name, its NUL included

struct words {
    unsigned n;
    const char *at[WORDS_MAX];
};

// Cuts `text` into words at blanks, in place. False: there are too many.
bool words_split(char *text, struct words *words);

// Decimal or 0x hex, up to 64 bits.
bool word_number(const char *word, uint64_t *value);

// "r--", "rw-", "r-x", "---", and "rwx", which others refuse, as PROT_*.
bool word_prot(const char *word, uint32_t *prot);

// Whether it is pairs of hex digits, for 1 to `max` bytes; and what they say, answering how many.
bool word_is_bytes(const char *word, size_t max);
size_t word_bytes(const char *word, uint8_t *bytes);

// Letters, digits and "_.-", fewer than NAME_BYTES.
bool word_is_name(const char *word);

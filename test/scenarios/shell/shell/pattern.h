// SPDX-License-Identifier: MIT
// The words behind a command's own, read by a pattern of one letter a word. Pure.
//
//   s  a name that is looked up later      v  a number
//   n  a new name, which must look well    p  a protection
//   m  cow | copy                          w  any word
//   l  lazy | now        z  4K | 2M | 1G   q  quota, which must have a number behind it
//   c  a number, 1 to READ_MAX             h  hex digits, 1 to WRITE_MAX bytes
//   a  r | w | x
//
// Behind a '?' each of them may be missing, a 'q' with its number.
#pragma once

#include "test/scenarios/shell/shell/words.h"

#define ARGUMENTS_MAX 8u
#define READ_MAX      4096u
#define WRITE_MAX     1024u

struct name;

struct argument {
    char letter;
    const char *word;
    uint64_t number;   // v, c; m: enum clone_mode; l, z: MAP_*; a: PROT_*
    uint32_t prot;     // p
    struct name *name; // whoever looks it up
};

struct arguments {
    unsigned n;
    struct argument at[ARGUMENTS_MAX];
};

enum match {
    MATCH_OK,
    MATCH_SHAPE,  // a word is missing, or one that cannot stand there
    MATCH_NUMBER, // *word is not a number
    MATCH_NAME,   // *word is no good as a name
    MATCH_PROT,   // *word is not a protection
};

// Reads words 1 .. n - 1. *word, the one that is wrong, is written where the answer names it.
enum match pattern_match(const char *pattern, const struct words *words,
                         struct arguments *arguments, const char **word);

// The first argument with that letter, or NULL.
const struct argument *argument_find(const struct arguments *arguments, char letter);

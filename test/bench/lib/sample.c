// SPDX-License-Identifier: MIT
#include "sample.h"

#define EMPTY_BRACKETS 100u
#define PAGE_BYTES     4096u

uint64_t bracket_cost;

// Their code is like nothing else: all programs of Cadastre have the same addresses.
__attribute__((noinline)) void sample_begins(const char *name)
{
    __asm__ volatile("nopl 0x6265676e(%%rax)" : : "r"(name) : "memory");
}

__attribute__((noinline)) void sample_ended(void)
{
    __asm__ volatile("nopl 0x656e6465(%%rax)" : : : "memory");
}

void sample_add(struct row *row, uint64_t cost)
{
    if (row->n < SAMPLES_MAX)
        row->at[row->n++] = cost;
}

// By insertion: it keeps `n` in order.
static void sort(uint64_t *at, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        uint64_t value = at[i];
        unsigned j = i;
        for (; j > 0 && at[j - 1] > value; j--)
            at[j] = at[j - 1];
        at[j] = value;
    }
}

void row_report(struct row *row)
{
    if (row->n == 0)
        return;
    sort(row->at, row->n);
    if (row->per == 0)
        row->per = 1;
    row_print(row, row->at[row->n / 2], row->at[0]);
}

void row_tell(const char *name, uint64_t value)
{
    const struct row row = {.name = name, .per = 1, .n = 1};
    row_print(&row, value, value);
}

static void find_bracket_cost(void)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < EMPTY_BRACKETS; i++) {
        uint64_t cost = counter();
        cost = counter() - cost;
        least = cost < least ? cost : least;
    }
    bracket_cost = least;
}

// 2,000,001 instructions.
static void known_loop(void)
{
    __asm__ volatile("mov $1000000, %%ecx\n1:\tdec %%ecx\n\tjnz 1b" : : : "ecx", "cc");
}

static void zero_words(void *page, uint64_t n)
{
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(n) : "a"(0ul) : "memory");
}

static void copy_words(void *to, const void *from, uint64_t n)
{
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

void calibrate(void)
{
    static char pages[2][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
    find_bracket_cost();
    row_tell("bracket", bracket_cost);
    MEASURE("known_loop", 5, known_loop());
    MEASURE("zero_nothing", 9, zero_words(pages[0], 0));
    MEASURE("zero_page", 9, zero_words(pages[0], PAGE_BYTES / 8));
    MEASURE("copy_nothing", 9, copy_words(pages[0], pages[1], 0));
    MEASURE("copy_page", 9, copy_words(pages[0], pages[1], PAGE_BYTES / 8));
}

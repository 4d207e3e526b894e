// SPDX-License-Identifier: MIT
#include "sample.h"

#define EMPTY_BRACKETS 100u

uint64_t bracket_cost;

__attribute__((noinline)) void sample_begins(const char *name)
{
    __asm__ volatile("" : : "r"(name) : "memory");
}

__attribute__((noinline)) void sample_ended(void)
{
    __asm__ volatile("" : : : "memory");
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
    log_format("# bench: %s %lu %lu %u %lu %lu %lu\n", row->name, row->at[row->n / 2], row->at[0],
               row->n, row->per != 0 ? row->per : 1, row->zeroed, row->copied);
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
    static char pages[2][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    find_bracket_cost();
    log_format("# bench: bracket %lu %lu 1 1 0 0\n", bracket_cost, bracket_cost);
    MEASURE("known_loop", 5, known_loop());
    MEASURE("zero_nothing", 9, zero_words(pages[0], 0));
    MEASURE("zero_page", 9, zero_words(pages[0], PAGE_SIZE / 8));
    MEASURE("copy_nothing", 9, copy_words(pages[0], pages[1], 0));
    MEASURE("copy_page", 9, copy_words(pages[0], pages[1], PAGE_SIZE / 8));
}

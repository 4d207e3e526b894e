// SPDX-License-Identifier: MIT
// Samples of what an operation costs, one row a kind; the same code on both systems. What a bracket itself costs is measured first
// and taken off. A row is printed as
//
//   # bench: NAME MEDIAN MIN SAMPLES PER ZEROED COPIED
//
// each sample being PER operations in which ZEROED pages were zeroed and COPIED copied: whoever reads
// it divides, and takes off what zeroing and copying cost (the rows `zero_page` and `copy_page`, which do
// it with one instruction, without what `zero_nothing` and `copy_nothing` cost) where that is wanted.
#pragma once

#include "test/bench/lib/counter.h"

#define SAMPLES_MAX 256u

struct row {
    const char *name;
    uint64_t per, zeroed, copied; // of one sample; `per` is 1 if not told
    unsigned n;
    uint64_t at[SAMPLES_MAX];
};

extern uint64_t bracket_cost;

// Where a debugger that counts from outside may stop, before and behind each sample. They do
// nothing, and are no part of the sample.
void sample_begins(const char *name);
void sample_ended(void);

void sample_add(struct row *row, uint64_t cost);

// Times `op`, a statement, as one sample of `row`.
#define SAMPLE(row, op)                          \
    do {                                         \
        sample_begins((row)->name);              \
        uint64_t start_ = counter();             \
        op;                                      \
        uint64_t cost_ = counter() - start_;     \
        sample_ended();                          \
        sample_add((row), cost_ - bracket_cost); \
    } while (0)

// Sorts the samples and prints the row.
void row_report(struct row *row);

// Prints one number as a row.
void row_tell(const char *name, uint64_t value);

// What a system brings: prints the line.
void row_print(const struct row *row, uint64_t median, uint64_t least);

// n_samples of `op` in a row of its own.
#define MEASURE(row_name, n_samples, op)               \
    do {                                               \
        static struct row row_ = {.name = (row_name)}; \
        for (unsigned i_ = 0; i_ < (n_samples); i_++)  \
            SAMPLE(&row_, op);                         \
        row_report(&row_);                             \
    } while (0)

// Fills bracket_cost; tells what a known loop, and zeroing and copying a page cost.
void calibrate(void);

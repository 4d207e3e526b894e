// SPDX-License-Identifier: MIT
// Operations made of bits: those of a random generator, or those that a fuzzer found.
#pragma once

#include "model.h"

// An operation made of 64 bits, whatever they are. Most of what it draws makes sense in the model's
// state.
// Random bits; the state is any number.
uint64_t random_next(uint64_t *state);

struct op op_draw(uint64_t bits, const struct model *m);

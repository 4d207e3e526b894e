// SPDX-License-Identifier: MIT
// What the tasks of this scenario agree on: the map of the land, and the courier's message.
#pragma once

// In the land.
#define LAND_CODE    0x400000ul // the writer's program
#define LAND_FIELD   0x500000ul // pages that the builder filled
#define LAND_COUNTER 0x600000ul // what the writer counts
#define LAND_LEASE   0x700000ul // the part that the keeper gets
#define FIELD_PAGES  4ul
#define LEASE_PAGES  8ul

// The builder's message: a capability to the lease, the first page, the number of pages and a word
// to write there. The keeper answers with a status.
enum { LETTER_VA, LETTER_PAGES, LETTER_WORD };

#define BUILDER_BADGE 0xb01dul // as the manifest says

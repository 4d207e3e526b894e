// SPDX-License-Identifier: MIT
// The window that the client has paged: what its pager does is the page's to say.
#pragma once

#define WINDOW       0x20000000ul
#define WINDOW_PAGES 128ul
#define OTHER        (WINDOW + WINDOW_PAGES * PAGE_SIZE) // that of the mortal one, as wide
#define WINDOW_END   (OTHER + WINDOW_PAGES * PAGE_SIZE)
#define BADGE        0x77ul

enum window_page {
    PAGE_SHARE,        // supplied by share, 16 of them
    PAGE_MOVE = 16,    // by move, 16 of them
    PAGE_BOTH = 32,    // by move, with the next one
    PAGE_REFUSE = 40,  // answered E_RIGHT
    PAGE_FORGET,       // the reply capability is dropped
    PAGE_TWICE,        // only the second fault is supplied
    PAGE_NEVER,        // not answered
    PAGE_READ,         // supplied read-only, though more was allowed
    PAGE_TOO_MUCH = 64 // a supply elsewhere, with other rights, of what is not there: all refused
};

// What is in the page that is supplied.
#define PAGE_WORD(page) (0x1000ul + (page))

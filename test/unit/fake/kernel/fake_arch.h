// SPDX-License-Identifier: MIT
// A fake of kernel/arch.h: the object window is an array of page-aligned frames, the serial line
// two buffers. What ends or idles the machine leaves the kernel through `escape`, which whoever
// runs kernel code has set; a test can instead give arch_idle() something to do.
#pragma once

#include <setjmp.h>

#include "kernel/arch.h"
#include "kernel/task.h"

#define FAKE_FRAMES   48u
#define FAKE_USER_END 0x800000000000ull

// Why the kernel was left through `escape`: longjmp()'s value.
enum escape { ESCAPE_IDLE = 1, ESCAPE_POWER_OFF };

struct fake_arch {
    bool is_mapped[FAKE_FRAMES];
    char out[4096];
    size_t n_out;
    bool is_slow; // the port takes only `send_max` bytes more
    unsigned send_max;
    const char *in;    // serial input: NUL-terminated
    size_t in_ready;   // of it, the bytes that have arrived
    size_t late_ready; // the bytes that arrive right after a read that brought nothing
    jmp_buf escape;
    void (*idle)(void); // what an interrupt does that comes while idle; NULL: escape
    unsigned power_code;
    struct { // the last flush
        paddr_t root;
        vaddr_t va;
        uint64_t pages;
        unsigned count;
    } flush;
    struct task *forgotten; // by the last arch_task_forget()
    struct task *fpu_taken; // the current task at the last arch_fpu_take()
};

extern struct fake_arch fake;

// A power-on: no frame is mapped, all are zero, nothing was said.
void fake_reset(void);

// The memory behind an index of the window.
void *fake_frame(uint64_t index);

// The owner zeroes the frame and maps it: it may be donated.
void fake_donate(uint64_t index);

// What belongs to the VMM again is not the kernel's to touch: all of the frame but its header,
// which arch_object_at()'s callers may look at, is poisoned until the next fake_donate().
void fake_withdraw(uint64_t index);

// Opens all frames to plain memory copies.
void fake_unpoison_all(void);

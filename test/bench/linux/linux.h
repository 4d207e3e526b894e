// SPDX-License-Identifier: MIT
// Rows of Linux, with the same meaning as Cadastre's of test/bench/meter/. System calls are made
// without the C library's wrappers, as seldom more than the instruction itself.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/bench/lib/sample.h"

#define PAGE_BYTES  4096ul
#define LARGE_BYTES (2ul << 20)
#define RW          (PROT_READ | PROT_WRITE)

// Far from everything else, so that no area of another kind lies beside them: one aligned to 2 MiB,
// one that is in a table with a page that stays, and one that has no tables yet.
#define REGION 0x1000200000ul
#define ANCHOR 0x1000000000ul
#define BESIDE (ANCHOR + 2 * PAGE_BYTES)
#define REMOTE 0x200000000000ul

// Ends the program, and with it the machine.
_Noreturn void fail(const char *what);

static inline void need(bool good, const char *what)
{
    if (!good)
        fail(what);
}

// Makes this process one of real-time priority: it runs on until it waits.
void run_first(void);

// Maps n_pages at `va`, private, without anything behind it; `flags` beside that.
void map_at(unsigned long va, unsigned long n_pages, int flags);

void touch_pages(unsigned long va, unsigned long n_pages);

// The number behind `key` in a file of /proc.
long number_in(const char *path, const char *key);

void write_file(const char *path, const char *text);

void message_rows(void);
void pager_rows(void);
void page_rows(void);
void large_rows(void);
void series_rows(void);
void fork_rows(void);
void write_rows(void);
void share_rows(void);
void process_rows(void);

static inline __attribute__((always_inline)) long call3(long number, long a, long b, long c)
{
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return number;
}

static inline __attribute__((always_inline)) long call6(long number, long a, long b, long c, long d,
                                                        long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "+a"(number)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return number;
}

static inline __attribute__((always_inline)) void touch(unsigned long va)
{
    *(volatile char *)va = 1;
}

#define AREA (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE)

#define sys_read(fd, to, n)       call3(SYS_read, fd, (long)(to), n)
#define sys_write(fd, from, n)    call3(SYS_write, fd, (long)(from), n)
#define sys_map(va, n, flags, fd) call6(SYS_mmap, va, n, RW, flags, fd, 0)
#define sys_unmap(va, n)          call3(SYS_munmap, va, n, 0)
#define sys_protect(va, n, prot)  call3(SYS_mprotect, va, n, prot)
#define sys_fork()                call3(SYS_fork, 0, 0, 0)
#define sys_exit()                call3(SYS_exit_group, 0, 0, 0)
#define sys_wait(pid)             call6(SYS_wait4, pid, 0, 0, 0, 0, 0)

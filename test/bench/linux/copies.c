// SPDX-License-Identifier: MIT
// Processes that are copies: making one, running it to its end, writing to what both have.
#include "linux.h"

#include <signal.h>
#include <sys/wait.h>

#define N 32u

static void region_of(unsigned long n_pages)
{
    sys_unmap(REGION, 32768 * PAGE_BYTES);
    if (n_pages != 0)
        map_at(REGION, n_pages, MAP_POPULATE);
}

// The child runs when its parent waits.
static void measure_fork(const char *name, unsigned long n_pages)
{
    struct row row = {.name = name};
    region_of(n_pages);
    for (unsigned i = 0; i < N; i++) {
        long pid;
        touch_pages(REGION, n_pages); // all are writable again
        SAMPLE(&row, {
            pid = sys_fork();
            if (pid == 0)
                sys_exit();
        });
        sys_wait(pid);
    }
    row_report(&row);
}

static void measure_life(const char *name, unsigned long n_pages)
{
    struct row row = {.name = name};
    region_of(n_pages);
    for (unsigned i = 0; i < N; i++) {
        touch_pages(REGION, n_pages);
        SAMPLE(&row, {
            long pid = sys_fork();
            if (pid == 0)
                sys_exit();
            sys_wait(pid);
        });
    }
    row_report(&row);
}

void fork_rows(void)
{
    run_first();
    measure_fork("fork_0", 0);
    measure_fork("fork_4096", 4096);
    measure_fork("fork_32768", 32768);
    measure_fork("series_clone_1", 1);
    measure_fork("series_clone_16", 16);
    measure_fork("series_clone_256", 256);
    measure_fork("series_clone_4096", 4096);
    measure_fork("series_clone_32768", 32768);
    measure_life("fork_exit_wait_4096", 4096);
}

// Keeps a copy of all memory until it is ended.
static pid_t start_holder(void)
{
    pid_t pid = (pid_t)sys_fork();
    if (pid == 0)
        for (;;)
            call3(SYS_pause, 0, 0, 0);
    usleep(2000); // it waits then
    return pid;
}

static void end_holder(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void write_rows(void)
{
    static struct row shared = {.name = "write_shared", .copied = 1}, sole = {.name = "write_sole"};
    region_of(512);
    pid_t pid = start_holder();
    touch(REGION);
    for (unsigned i = 1; i <= 128; i++)
        SAMPLE(&shared, touch(REGION + i * PAGE_BYTES));
    end_holder(pid);
    row_report(&shared);
    end_holder(start_holder());
    touch(REGION);
    for (unsigned i = 1; i <= 128; i++)
        SAMPLE(&sole, touch(REGION + i * PAGE_BYTES));
    row_report(&sole);
}

static void vfork_exit_wait(void)
{
    long pid = call3(SYS_vfork, 0, 0, 0);
    if (pid == 0)
        sys_exit();
    sys_wait(pid);
}

void process_rows(void)
{
    enum { HOLDERS = 64 };
    pid_t pids[HOLDERS];
    MEASURE("vfork_exit_wait", 64, vfork_exit_wait());
    end_holder(start_holder());
    long before = number_in("/proc/meminfo", "MemFree:");
    for (unsigned i = 0; i < HOLDERS; i++)
        pids[i] = start_holder();
    long after = number_in("/proc/meminfo", "MemFree:");
    row_tell("process_bytes", (uint64_t)(before - after) * 1024 / HOLDERS);
    for (unsigned i = 0; i < HOLDERS; i++)
        end_holder(pids[i]);
}

// SPDX-License-Identifier: MIT
// The only program of the machine: runs each group of rows in a process of its own, then reboots,
// which ends QEMU.
#include "linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>

void row_print(const struct row *row, uint64_t median, uint64_t least)
{
    printf("# bench: %s %lu %lu %u %lu %lu %lu\n", row->name, median, least, row->n, row->per,
           row->zeroed, row->copied);
}

void fail(const char *what)
{
    printf("FAILED: %s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(1);
}

void run_first(void)
{
    const struct sched_param param = {.sched_priority = 10};
    need(sched_setscheduler(0, SCHED_FIFO, &param) == 0, "sched_setscheduler");
}

void map_at(unsigned long va, unsigned long n_pages, int flags)
{
    need(sys_map(va, n_pages * PAGE_BYTES, AREA | flags, -1) == (long)va, "mmap");
}

void touch_pages(unsigned long va, unsigned long n_pages)
{
    for (unsigned long i = 0; i < n_pages; i++)
        touch(va + i * PAGE_BYTES);
}

long number_in(const char *path, const char *key)
{
    static char text[65536];
    long n = 0, got;
    int fd = open(path, O_RDONLY);
    need(fd >= 0, path);
    while ((got = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += got;
    close(fd);
    text[n] = '\0';
    const char *at = strstr(text, key);
    need(at, key);
    return strtol(at + strlen(key), NULL, 10);
}

void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    need(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    close(fd);
}

// What was written before is not to be printed while something is measured.
static void settle(void)
{
    fflush(stdout);
    tcdrain(STDOUT_FILENO);
    usleep(100000);
}

static void run(void (*rows)(void))
{
    int status = 0;
    settle();
    pid_t pid = fork();
    if (pid == 0) {
        rows();
        fflush(stdout);
        _exit(0);
    }
    need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "a group of rows");
}

static void all_rows(void)
{
    static void (*const groups[])(void) = {
        message_rows, pager_rows, page_rows,  large_rows,   series_rows,
        fork_rows,    write_rows, share_rows, process_rows,
    };
    calibrate();
    for (unsigned i = 0; i < sizeof groups / sizeof groups[0]; i++)
        run(groups[i]);
    puts("# bench done");
    settle();
}

int main(void)
{
    static char buffer[1 << 16];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    putchar('\n'); // the firmware leaves an unfinished line
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    write_file("/proc/sys/kernel/sched_rt_runtime_us", "-1");
    map_at(REGION, 65536, MAP_POPULATE); // the allocator is in its steady state afterwards
    sys_unmap(REGION, 65536 * PAGE_BYTES);
    pid_t pid = fork(); // a failure must not end process 1, which is a panic
    if (pid == 0) {
        all_rows();
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    reboot(RB_AUTOBOOT);
}

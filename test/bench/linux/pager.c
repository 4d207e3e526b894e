// SPDX-License-Identifier: MIT
// A fault that another process answers through a userfaultfd. The page is there already and only to
// be mapped, which is the least that such a pager can do.
#include "linux.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#define N 256u

static int open_pager(void)
{
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM};
    need(fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0, "userfaultfd");
    return fd;
}

// Pages of a file in memory, none of them in the tables here.
static void map_file(void)
{
    int fd = memfd_create("paged", MFD_CLOEXEC);
    const size_t length = N * PAGE_BYTES;
    need(fd >= 0 && ftruncate(fd, (off_t)length) == 0, "memfd_create");
    void *filled = mmap(NULL, length, RW, MAP_SHARED | MAP_POPULATE, fd, 0);
    munmap(filled, length);
    need(sys_map(REGION, length, MAP_SHARED | MAP_FIXED_NOREPLACE, fd) == REGION, "mmap");
}

static void serve(int pager)
{
    struct uffd_msg m;
    while (sys_read(pager, &m, sizeof m) == sizeof m) {
        struct uffdio_continue go = {.range = {m.arg.pagefault.address & -PAGE_BYTES, PAGE_BYTES}};
        call3(SYS_ioctl, pager, UFFDIO_CONTINUE, (long)&go);
    }
}

void pager_rows(void)
{
    static struct row row = {.name = "pager"};
    int pager = open_pager();
    map_file();
    struct uffdio_register all = {.range = {REGION, N * PAGE_BYTES},
                                  .mode = UFFDIO_REGISTER_MODE_MINOR};
    need(ioctl(pager, UFFDIO_REGISTER, &all) == 0, "UFFDIO_REGISTER");
    pid_t pid = fork();
    if (pid == 0)
        serve(pager);
    usleep(2000); // it waits then
    for (unsigned i = 0; i < N; i++)
        SAMPLE(&row, touch(REGION + i * PAGE_BYTES));
    row_report(&row);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

// SPDX-License-Identifier: MIT
// Round trips between two processes, and yields. What stands for a call of Cadastre: an eventfd each
// way, where nothing but the wake-up goes over; a pipe each way for a byte; a descriptor sent over a
// UNIX socket, and dropped there.
#include "linux.h"

#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define N       256u
#define WARM_UP 64u

// Measures `ours`, which `theirs` answers in a child.
#define ROUND_TRIPS(name, ours, theirs)             \
    do {                                            \
        pid_t pid_ = (pid_t)sys_fork();             \
        if (pid_ == 0)                              \
            for (;;) {                              \
                theirs;                             \
            }                                       \
        for (unsigned w_ = 0; w_ < WARM_UP; w_++) { \
            ours;                                   \
        }                                           \
        MEASURE(name, N, ours);                     \
        end(pid_);                                  \
    } while (0)

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void eventfd_trips(void)
{
    uint64_t one = 1;
    int a = eventfd(0, 0), b = eventfd(0, 0);
    need(a >= 0 && b >= 0, "eventfd");
    ROUND_TRIPS("eventfd", (sys_write(a, &one, 8), sys_read(b, &one, 8)),
                (sys_read(a, &one, 8), sys_write(b, &one, 8)));
}

static void pipe_trips(void)
{
    char byte = 0;
    int a[2], b[2];
    need(pipe(a) == 0 && pipe(b) == 0, "pipe");
    ROUND_TRIPS("pipe", (sys_write(a[1], &byte, 1), sys_read(b[0], &byte, 1)),
                (sys_read(a[0], &byte, 1), sys_write(b[1], &byte, 1)));
}

// For sendmsg and recvmsg: a byte, and room for a descriptor.
struct parcel {
    char byte;
    struct iovec iov;
    char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    struct msghdr message;
};

static void wrap(struct parcel *p)
{
    p->iov = (struct iovec){&p->byte, 1};
    p->message = (struct msghdr){.msg_iov = &p->iov,
                                 .msg_iovlen = 1,
                                 .msg_control = p->control,
                                 .msg_controllen = sizeof p->control};
}

static void send_descriptor(int socket, int fd)
{
    struct parcel p = {0};
    wrap(&p);
    struct cmsghdr *head = CMSG_FIRSTHDR(&p.message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    call3(SYS_sendmsg, socket, (long)&p.message, 0);
}

static int receive_descriptor(int socket)
{
    struct parcel p;
    int fd = -1;
    wrap(&p);
    call3(SYS_recvmsg, socket, (long)&p.message, 0);
    const struct cmsghdr *head = CMSG_FIRSTHDR(&p.message);
    if (head)
        memcpy(&fd, CMSG_DATA(head), sizeof fd);
    return fd;
}

static void receive_and_drop(int socket)
{
    call3(SYS_close, receive_descriptor(socket), 0, 0);
}

// Maps the page that came, reads it, and lets go of it.
static void receive_page(int socket)
{
    int fd = receive_descriptor(socket);
    sys_map(BESIDE, PAGE_BYTES, MAP_SHARED | MAP_FIXED_NOREPLACE, fd);
    (void)*(volatile char *)BESIDE;
    sys_unmap(BESIDE, PAGE_BYTES);
    call3(SYS_close, fd, 0, 0);
}

static void descriptor_trips(void)
{
    char byte = 0;
    int s[2], fd = memfd_create("gift", MFD_CLOEXEC);
    need(fd >= 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair");
    ROUND_TRIPS("pass_fd", (send_descriptor(s[0], fd), sys_read(s[0], &byte, 1)),
                (receive_and_drop(s[1]), sys_write(s[1], &byte, 1)));
}

// There and back.
static void yields(void)
{
    static struct row row = {.name = "yield", .per = 2};
    pid_t pid = (pid_t)sys_fork();
    if (pid == 0)
        for (;;)
            call3(SYS_sched_yield, 0, 0, 0);
    for (unsigned i = 0; i < N; i++)
        SAMPLE(&row, call3(SYS_sched_yield, 0, 0, 0));
    row_report(&row);
    end(pid);
}

void message_rows(void)
{
    MEASURE("null", N, call3(SYS_getppid, 0, 0, 0));
    eventfd_trips();
    pipe_trips();
    run_first();
    descriptor_trips();
    yields();
}

void share_rows(void)
{
    char byte = 0;
    int s[2], fd = memfd_create("shared", MFD_CLOEXEC);
    run_first();
    map_at(ANCHOR, 1, MAP_POPULATE);
    need(fd >= 0 && ftruncate(fd, PAGE_BYTES) == 0, "memfd_create");
    need(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair");
    touch((unsigned long)mmap(NULL, PAGE_BYTES, RW, MAP_SHARED, fd, 0));
    ROUND_TRIPS("share", (send_descriptor(s[0], fd), sys_read(s[0], &byte, 1)),
                (receive_page(s[1]), sys_write(s[1], &byte, 1)));
}

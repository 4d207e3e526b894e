// SPDX-License-Identifier: MIT
// Calls between two spaces, notifications, yields.
#include "rows.h"

#define N 64u

static uint64_t words[MESSAGE_WORDS] = {1, 2, 3, 4, 5, 6};
static uint64_t answer[MESSAGE_WORDS];

static status_t call_nothing(void)
{
    struct message m = {{0}};
    return ipc_call(ECHO, 0, 0, &m).status;
}

static status_t call_four(void)
{
    struct message m = {{words[0], words[1], words[2], words[3]}};
    status_t status = ipc_call(ECHO, 0, 0, &m).status;
    for (unsigned i = 0; i < 4; i++)
        answer[i] = m.w[i];
    return status;
}

static status_t call_six(void)
{
    struct message m = {{words[0], words[1], words[2], words[3], words[4], words[5]}};
    status_t status = ipc_call(ECHO, 0, 0, &m).status;
    for (unsigned i = 0; i < 6; i++)
        answer[i] = m.w[i];
    return status;
}

static bool is_echo(unsigned n)
{
    bool same = answer[0] == words[0] + 1;
    for (unsigned i = 1; i < n; i++)
        same = same && answer[i] == words[i];
    return same;
}

// How many capabilities the taker has had; 0 if the call fails.
static uint64_t call_with_copy(void)
{
    struct message m = {{0}};
    return ipc_call(TAKER, SLOT_SELF, 0, &m).status == OK ? m.w[0] : 0;
}

// A capability into the receiver's own endpoint comes as its badge, and takes no slot there.
static status_t call_with_own(void)
{
    struct message m = {{0}};
    return ipc_call(ECHO, ECHO, 0, &m).status;
}

// The answer brings one.
static status_t call_for_copy(void)
{
    struct message m = {{0}};
    struct result r = ipc_call(GIVER, 0, FREE, &m);
    return r.status == OK && r.got_cap ? ipc_drop(FREE) : E_NOSLOT;
}

// The shortest way into the kernel and out: there is no such call.
static status_t null_call(void)
{
    struct message m = {{0}};
    return sys_invoke(sys_header(SYS_COUNT, 0, 0, 0, 0, 0), &m).status;
}

status_t message_rows(void)
{
    status_t status = OK;
    uint64_t taken = 0;
    MEASURE("null", N, status |= null_call() ^ E_NOSYS);
    MEASURE("call_0", N, status |= call_nothing());
    MEASURE("call_4", N, status |= call_four());
    if (!is_echo(4))
        status = E_INVAL;
    MEASURE("call_6", N, status |= call_six());
    if (!is_echo(6))
        status = E_INVAL;
    MEASURE("call_cap", N, taken = call_with_copy());
    MEASURE("call_own", N, status |= call_with_own());
    MEASURE("call_get", N, status |= call_for_copy());
    return taken == N ? status : E_INVAL;
}

// What the waiter saw, against when this task rang.
static status_t ring(struct row *wake, struct row *round)
{
    struct message m = {{0}};
    uint64_t start, end;
    sample_begins(round->name);
    start = counter();
    status_t status = ipc_notify(BELL);
    end = counter();
    sample_ended();
    if (status == OK)
        status = ipc_call(BELL, 0, 0, &m).status;
    sample_add(wake, m.w[0] - start - bracket_cost);
    sample_add(round, end - start - bracket_cost);
    return status;
}

static status_t notify_nobody(void)
{
    enum { EAR = FREE, WAY };
    uint64_t word = 0;
    status_t status = vmm_endpoint(SLOT_SELF, EAR);
    if (status == OK)
        status = vmm_portal(SLOT_SELF, EAR, 4, SLOT_ALL, WAY);
    if (status == OK)
        MEASURE("notify", N, status |= ipc_notify(WAY));
    if (status == OK)
        status = ipc_wait(EAR, &word);
    if (status == OK)
        status = ipc_drop(WAY);
    if (status == OK)
        status = ipc_drop(EAR);
    return status == OK && word != 4 ? E_INVAL : status;
}

// There and back: the other task yields as well.
static status_t yield_to_another(void)
{
    static struct row row = {.name = "yield", .per = 2};
    struct message m = {{N}};
    status_t status = ipc_call(TURN, 0, 0, &m).status;
    for (unsigned i = 0; status == OK && i < N; i++)
        SAMPLE(&row, ipc_yield());
    row_report(&row);
    return status;
}

status_t notify_rows(void)
{
    static struct row wake = {.name = "notify_wakes"}, round = {.name = "notify_round"};
    status_t status = notify_nobody();
    for (unsigned i = 0; status == OK && i < N; i++)
        status = ring(&wake, &round);
    row_report(&wake);
    row_report(&round);
    return status == OK ? yield_to_another() : status;
}

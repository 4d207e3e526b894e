// SPDX-License-Identifier: MIT
// What tasks ask of init while they run, and how init learns that they have ended: the last slot of
// a task's portal goes with the task, and the kernel tells the portal's server.
#include "ipc/rt.h"
#include "ipc/vmm_client.h"
#include "servers/init/scenario.h"
#include "servers/init/slots.h"

// What a request is answered with.
struct answer {
    status_t status;
    slot_t send;    // 0: nothing
    uint32_t flags; // SYS_* of the answer
};

static slot_t give_slot(const struct manifest *m, unsigned index)
{
    const struct manifest_give *give = &m->gives[index];
    switch (give->kind) {
    case GIVE_ENDPOINT:
        return SLOT_ENDPOINTS + give->object;
    case GIVE_TASK:
        return SLOT_TASKS + give->object;
    case GIVE_CONSOLE:
        return SLOT_CONSOLE;
    default:
        return SLOT_GIVES + index;
    }
}

// What stays with init, and is copied: a task's capability is needed at the task's end, and several
// tasks may have the console.
static bool is_kept(enum give_kind kind)
{
    return kind == GIVE_TASK || kind == GIVE_CONSOLE;
}

static uint32_t give_flags(const struct manifest_give *give)
{
    if (is_kept(give->kind))
        return 0;
    return SYS_MOVE | (give->kind == GIVE_PORTAL ? SYS_MASK(SLOT_ALL & ~give->flags) : 0);
}

static struct answer answer_get(const struct manifest *m, unsigned task, const struct message *msg,
                                bool wants_cap)
{
    manifest_name_t name;
    memcpy(name, &msg->w[1], sizeof name);
    if (name[sizeof name - 1] != '\0')
        return (struct answer){.status = E_INVAL};
    for (unsigned i = 0; i < m->n_gives; i++) {
        const struct manifest_give *give = &m->gives[i];
        if (give->task != task || strcmp(give->name, name) != 0)
            continue;
        if (!wants_cap)
            return (struct answer){.status = E_NOSLOT};
        return (struct answer){.send = give_slot(m, i), .flags = give_flags(give)};
    }
    return (struct answer){.status = E_NOENT};
}

// A result beyond the plan gets no number; the task's end counts it as a failure.
static void report_line(struct scenario *s, unsigned task)
{
    const struct manifest_task *entry = &s->manifest.tasks[task];
    struct task_state *state = &s->states[task];
    state->line[state->line_len] = '\0';
    if (++state->reported <= entry->tests)
        report_result(&s->report, state->line_ok, entry->name, state->line);
    else
        log_format("# %s: a result beyond its plan: %s\n", entry->name, state->line);
    state->line_len = 0;
}

static struct answer answer_check(struct scenario *s, unsigned task, const struct message *msg)
{
    struct task_state *state = &s->states[task];
    uint32_t flags = (uint32_t)(msg->w[0] >> 32);
    char piece[CHECK_TEXT_BYTES];
    memcpy(piece, &msg->w[1], sizeof piece);
    if (state->line_len == 0)
        state->line_ok = true;
    state->line_ok = state->line_ok && (flags & CHECK_OK);
    for (unsigned i = 0; i < sizeof piece && piece[i] != '\0'; i++) {
        if (state->line_len < TASK_TEXT_BYTES)
            state->line[state->line_len++] = piece[i];
    }
    if (flags & CHECK_LAST)
        report_line(s, task);
    return (struct answer){.status = OK};
}

static struct answer answer_call(struct scenario *s, const struct result *call,
                                 const struct message *m)
{
    unsigned task = (unsigned)call->badge; // we minted it
    if ((m->w[0] >> 16 & 0xffff) != INIT_VERSION)
        return (struct answer){.status = E_VERSION};
    switch (m->w[0] & 0xffff) {
    case INIT_GET:
        return answer_get(&s->manifest, task, m, call->wants_cap);
    case INIT_CHECK:
        return answer_check(s, task, m);
    default:
        return (struct answer){.status = E_NOSYS};
    }
}

static void drop_uncollected(const struct manifest *m, unsigned task)
{
    for (unsigned i = 0; i < m->n_gives; i++) {
        if (m->gives[i].task == task && !is_kept(m->gives[i].kind))
            (void)!ipc_drop(give_slot(m, i)); // E_SLOT: the task collected it
    }
}

static void judge_end(struct scenario *s, unsigned task, const struct vmm_exit *end)
{
    static const char *const kinds[] = {"exit", "fault", "kill"};
    const struct manifest_task *entry = &s->manifest.tasks[task];
    struct task_state *state = &s->states[task];
    bool ok = end->kind == entry->expect && state->reported <= entry->tests &&
              (end->kind != EXIT_NORMAL || end->code == 0);
    while (state->reported < entry->tests) {
        report_result(&s->report, false, entry->name, "a planned result never came");
        state->reported++;
    }
    log_format("# %s ended: %s, code %lu, address 0x%lx, rip 0x%lx\n", entry->name,
               kinds[end->kind], end->code, end->address, end->rip);
    report_result(&s->report, ok, entry->name, "ends as the manifest says");
}

static void end_task(struct scenario *s, unsigned task)
{
    struct vmm_exit end;
    status_t status = vmm_wait(SLOT_TASKS + task, &end);
    s->states[task].is_over = true;
    drop_uncollected(&s->manifest, task);
    if (status == OK) {
        judge_end(s, task, &end);
        return;
    }
    log_format("# init: wait for %s: %s\n", s->manifest.tasks[task].name, status_name(status));
    report_result(&s->report, false, s->manifest.tasks[task].name, "ends as the manifest says");
}

static bool is_any_running(const struct scenario *s, bool in_background)
{
    for (unsigned i = 0; i < s->manifest.n_tasks; i++) {
        bool is_background = s->manifest.tasks[i].expect == EXIT_KILLED;
        if (!s->states[i].is_over && is_background == in_background)
            return true;
    }
    return false;
}

static void kill_background(const struct scenario *s)
{
    for (unsigned i = 0; i < s->manifest.n_tasks; i++) {
        if (s->manifest.tasks[i].expect != EXIT_KILLED || s->states[i].is_over)
            continue;
        status_t status = vmm_kill(SLOT_TASKS + i);
        if (status != OK)
            log_format("# init: kill %s: %s\n", s->manifest.tasks[i].name, status_name(status));
    }
}

static struct result receive(struct message *m)
{
    struct result result;
    do {
        result = ipc_receive(SLOT_SERVICE, 0, SLOT_CALLER, m);
    } while (result.status == E_MORE);
    return result;
}

// Answers, and takes the next message. A caller that died meanwhile hears nothing, that is all.
static struct result reply(const struct answer *answer, struct message *m)
{
    uint32_t flags = SYS_REPLY | answer->flags;
    *m = (struct message){{(uint64_t)(int64_t)answer->status}};
    struct result result = sys_invoke(
        sys_header(SYS_REPLY_RECV, SLOT_SERVICE, answer->send, 0, SLOT_CALLER, flags), m);
    return result;
}

// An answer that cannot be given, because the capability was moved already or has died, is given
// without it.
static struct result reply_or_say_why(const struct answer *answer, struct message *m)
{
    struct result result = reply(answer, m);
    if (result.status == OK)
        return result;
    if (answer->send != 0) {
        status_t why = result.status == E_SLOT ? E_NOENT : result.status;
        result = reply(&(struct answer){.status = why}, m);
        if (result.status == OK)
            return result;
    }
    (void)!ipc_drop(SLOT_CALLER);
    return receive(m);
}

status_t scenario_serve(struct scenario *s)
{
    bool has_killed = false;
    struct message m;
    struct result result = receive(&m);
    while (result.status == OK) {
        struct answer answer = {0};
        if (result.kind == MESSAGE_CALL)
            answer = answer_call(s, &result, &m);
        else if (result.kind == MESSAGE_LAST_REFERENCE)
            end_task(s, (unsigned)result.badge);
        if (!has_killed && !is_any_running(s, false)) {
            kill_background(s);
            has_killed = true;
        }
        if (!is_any_running(s, true) && !is_any_running(s, false))
            return OK;
        result = result.kind == MESSAGE_CALL ? reply_or_say_why(&answer, &m) : receive(&m);
    }
    return result.status;
}

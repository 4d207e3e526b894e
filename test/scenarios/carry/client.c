// SPDX-License-Identifier: MIT
// Sends and takes capabilities in all ways that there are.
#include "test/scenarios/carry/stock.h"

// Where the client's and the keeper's slots are.
struct place {
    const char *name;
    slot_t mine, keepers;
};

static struct result last;
static struct message answer;

static status_t call(slot_t target, slot_t send, slot_t receive, uint32_t flags, struct message m)
{
    answer = m;
    last = sys_invoke(sys_header(SYS_CALL, target, send, receive, 0, flags), &answer);
    return last.status;
}

static status_t tell(slot_t send, slot_t receive, uint32_t flags)
{
    return call(COUNTER, send, receive, flags, (struct message){{TELL}});
}

// How an item comes to be less than ALL.
static uint32_t mask_of(enum item item)
{
    static const uint32_t flags[] = {SLOT_ALL, SLOT_CALL | SLOT_COPY, SLOT_CALL | SLOT_MOVE,
                                     SLOT_CALL};
    return SYS_MASK(~flags[item] & SLOT_ALL);
}

// The keeper gets a copy of what is in the slot, as that item of its own.
static status_t give_keeper(const struct place *at, enum item item, slot_t from, uint32_t flags)
{
    slot_t slot = at->keepers + item;
    status_t status = call(COUNTER, 0, 0, 0, (struct message){{DROP, slot, 0, slot}});
    return status == OK ? tell(from, 0, flags) : status;
}

// The client makes what there is; each of both then has all of it. Answers the first error.
static status_t fill(const struct place *at)
{
    const slot_t mine = at->mine;
    for (unsigned i = ALL; i < ITEMS; i++)
        (void)!ipc_drop(mine + i);
    status_t status = vmm_portal(SLOT_SELF, EAR, 0x57, SLOT_ALL, mine + ALL);
    for (unsigned i = ALL; status == OK && i <= STUCK; i++)
        status = give_keeper(at, i, mine + ALL, mask_of(i));
    for (unsigned i = ONLY_COPY; status == OK && i <= STUCK; i++)
        status =
            call(COUNTER, 0, mine + i, 0, (struct message){{GIVE, at->keepers + ALL, mask_of(i)}});
    if (status == OK)
        status = vmm_derive(SLOT_SELF, PAGE_SIZE, 1, RIGHT_READ, mine + DEAD);
    if (status == OK)
        status = give_keeper(at, DEAD, mine + DEAD, 0);
    return status == OK ? vmm_revoke(SLOT_SELF, mine + DEAD) : status;
}

static bool is_there(slot_t slot)
{
    return sys_invoke(sys_header(SYS_NOTIFY, slot, 0, 0, 0, 0), &(struct message){{0}}).status !=
           E_SLOT;
}

static void copied(const struct place *at)
{
    const slot_t first = at->mine;
    check(tell(first + ALL, 0, 0) == OK && answer.w[0] == RESULT_CAP && answer.w[2] == 1 &&
              is_there(first + ALL),
          "%s: a copy arrives", at->name);
    check(tell(first + ONLY_COPY, first + NOTHING, 0) == OK &&
              answer.w[0] == (RESULT_CAP | RESULT_WANTS_CAP) && answer.w[2] == 1 && !last.got_cap,
          "%s: and the keeper learns that one is taken", at->name);
    check(tell(COUNTER, 0, 0) == OK && answer.w[0] == RESULT_OWN && answer.w[1] == 0xc1 &&
              answer.w[2] == 0,
          "%s: one of its own comes as its badge", at->name);
    check(tell(MUTE, first + NOTHING, 0) == OK && answer.w[0] == (RESULT_OWN | RESULT_WANTS_CAP) &&
              answer.w[1] == 0xc2,
          "%s: whatever it may be used for", at->name);
    check(tell(0, first + NOTHING, 0) == OK && answer.w[0] == RESULT_WANTS_CAP,
          "%s: nothing is sent, one is taken", at->name);
    check(tell(first + ALL, 0, SYS_LEND) == OK && answer.w[0] == RESULT_CAP &&
              is_there(first + ALL),
          "%s: one is lent", at->name);
}

static void kept(const struct place *at)
{
    check(call(COUNTER, at->mine + ALL, 0, 0, (struct message){{KEEP}}) == OK &&
              (status_t)answer.w[0] == E_OCCUPIED,
          "%s: a keeper that keeps one waits for no other", at->name);
    check(call(COUNTER, 0, 0, 0, (struct message){{KEEP}}) == OK && answer.w[0] == KEEP,
          "%s: but when it is dropped", at->name);
}

static void refused(const struct place *at)
{
    const slot_t first = at->mine;
    check(tell(first + ONLY_MOVE, 0, 0) == E_RIGHT && tell(first + STUCK, 0, 0) == E_RIGHT,
          "%s: what may not be copied is not", at->name);
    check(tell(first + DEAD, 0, 0) == E_REVOKED, "%s: nor what is dead", at->name);
    check(tell(first + NOTHING, 0, 0) == E_SLOT, "%s: nor nothing", at->name);
    check(tell(first + ALL, first + ALL, 0) == E_OCCUPIED && tell(0, first + DEAD, 0) == E_OCCUPIED,
          "%s: no full slot is taken for an answer", at->name);
    check(call(MUTE, first + ALL, 0, 0, (struct message){{TELL}}) == E_RIGHT &&
              call(first + NOTHING, first + ALL, 0, 0, (struct message){{TELL}}) == E_SLOT &&
              call(first + DEAD, first + ALL, 0, 0, (struct message){{TELL}}) == E_REVOKED,
          "%s: nothing goes through what cannot be called", at->name);
    status_t status = call(COUNTER, 0, 0, 0, (struct message){{TELL, 0, 0, NO_SLOT}});
    check(status == OK && tell(first + ALL, first + NOTHING, 0) == E_NOSLOT &&
              is_there(first + ALL) && !is_there(first + NOTHING),
          "%s: a keeper without a slot takes none", at->name);
    check(tell(COUNTER, 0, 0) == OK && answer.w[0] == RESULT_OWN, "%s: but one of its own",
          at->name);
    check(tell(first + ALL, 0, 0) == OK && answer.w[0] == RESULT_CAP, "%s: and has a slot again",
          at->name);
}

static void moved(const struct place *at)
{
    const slot_t first = at->mine;
    check(tell(first + ONLY_MOVE, 0, SYS_MOVE) == OK && answer.w[0] == RESULT_CAP &&
              !is_there(first + ONLY_MOVE),
          "%s: what is moved is gone", at->name);
    check(tell(first + ONLY_COPY, 0, SYS_MOVE) == E_RIGHT && is_there(first + ONLY_COPY),
          "%s: what may not be moved stays", at->name);
    check(tell(first + ALL, 0, SYS_MASK(SLOT_COPY)) == OK && answer.w[0] == RESULT_CAP,
          "%s: less is sent than there is", at->name);
}

// Asks the keeper for an item of its.
static status_t ask(const struct place *at, enum item item, slot_t receive, uint32_t flags)
{
    return call(COUNTER, 0, receive, 0, (struct message){{GIVE, at->keepers + item, flags}});
}

static bool gets(const struct place *at, enum item item, uint32_t flags)
{
    const slot_t into = at->mine + NOTHING;
    bool got =
        ask(at, item, into, flags) == OK && last.got_cap && is_there(into) && answer.w[0] == GIVE;
    return ipc_drop(into) == OK && got;
}

// It waits, and hears why.
static bool gets_not(const struct place *at, enum item item, uint32_t flags, status_t why)
{
    const slot_t into = at->mine + NOTHING;
    return ask(at, item, into, flags) == OK && !last.got_cap && !is_there(into) &&
           (status_t)answer.w[0] == why;
}

static void answered(const struct place *at)
{
    const slot_t into = at->mine + NOTHING;
    check(gets(at, ALL, 0) && gets(at, ONLY_COPY, 0) && gets(at, ALL, 0),
          "%s: copies are given, one after another", at->name);
    check(tell(0, 0, 0) == OK && answer.w[0] == 0, "%s: and a plain answer between", at->name);
    check(gets_not(at, ONLY_MOVE, 0, E_RIGHT) && gets_not(at, STUCK, 0, E_RIGHT),
          "%s: what may not be copied is not given", at->name);
    check(gets_not(at, DEAD, 0, E_REVOKED) && gets_not(at, DEAD, SYS_MOVE, E_REVOKED),
          "%s: nor what is dead", at->name);
    check(gets_not(at, NOTHING, 0, E_SLOT), "%s: nor nothing", at->name);
    check(gets(at, ONLY_MOVE, SYS_MOVE) && gets_not(at, ONLY_MOVE, SYS_MOVE, E_SLOT),
          "%s: what is moved is gone", at->name);
    check(gets_not(at, ONLY_COPY, SYS_MOVE, E_RIGHT) && gets(at, ONLY_COPY, 0),
          "%s: what may not be moved stays", at->name);
    check(ask(at, ALL, 0, 0) == OK && (status_t)answer.w[0] == E_NOSLOT && !last.got_cap,
          "%s: who takes none gets none", at->name);
    check(ask(at, ALL, into, SYS_MASK(SLOT_CALL)) == OK && last.got_cap &&
              call(into, 0, 0, 0, (struct message){{TELL}}) == E_RIGHT && ipc_drop(into) == OK,
          "%s: less is given than there is", at->name);
    check(call(COUNTER, at->mine + ALL, into, 0, (struct message){{GIVE, at->keepers + ALL, 0}}) ==
                  OK &&
              last.got_cap && ipc_drop(into) == OK,
          "%s: one goes each way", at->name);
}

uint64_t main(uint64_t argument)
{
    static const struct place place[] = {
        {"near", FIRST_NEAR, FIRST_NEAR},
        {"far", FIRST_FAR, FIRST_FAR},
        {"half", FIRST_NEAR, FIRST_FAR},
    };
    (void)argument;
    if (get("counter", COUNTER) != OK || get("mute", MUTE) != OK || get("self", SELF) != OK ||
        vmm_task_slots(SELF) != OK || vmm_endpoint(SLOT_SELF, EAR) != OK)
        return 1;
    for (unsigned i = 0; i < sizeof place / sizeof *place; i++) {
        check(fill(&place[i]) == OK, "%s: both have all there is", place[i].name);
        copied(&place[i]);
        kept(&place[i]);
        refused(&place[i]);
        moved(&place[i]);
        answered(&place[i]);
    }
    return 0;
}

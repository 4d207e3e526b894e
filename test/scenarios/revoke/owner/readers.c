// SPDX-License-Identifier: MIT
// Who reads, without pause, what came through a capability.
#include "test/scenarios/revoke/owner/owner.h"

enum { BY_GRANT, BY_GRANT_2, BY_GRANT_3, SHARED_ON, CLONED, CLONED_ON, N_READERS };

static const char *const names[] = {
    "through the capability", "through a derived one", "through what was derived from that",
    "what was shared on",     "what was cloned",       "what was shared on from there"};

static void read(uint64_t i)
{
    for (;;) {
        board->seen[i] = *(volatile uint64_t *)VIEW;
        board->n[i]++;
    }
}

static status_t map_views(void)
{
    status_t status = owner_derive();
    for (unsigned i = 0; status == OK && i < N_READERS; i++)
        if (i != CLONED)
            status = helper_clone(i);
    for (unsigned i = 0; status == OK && i <= BY_GRANT_3; i++)
        status = vmm_share(GRANT + i, FIELD, 1, SPACE + i, VIEW, PROT_R);
    if (status == OK)
        status = vmm_share(SPACE + BY_GRANT_2, VIEW, 1, SPACE + SHARED_ON, VIEW, PROT_R);
    if (status == OK)
        status = vmm_clone(SPACE + SHARED_ON, CLONE_COW, 0, SPACE + CLONED);
    if (status == OK)
        status = vmm_share(SPACE + CLONED, VIEW, 1, SPACE + CLONED_ON, VIEW, PROT_R);
    return status;
}

static status_t start_readers(void)
{
    status_t status = OK;
    for (unsigned i = 0; status == OK && i < N_READERS; i++)
        status = helper_start(i, read);
    return status;
}

// At most one read was made that is not counted yet when REVOKE answered.
static void check_end(unsigned i, uint64_t n_before)
{
    struct vmm_exit end = {.kind = EXIT_NORMAL};
    status_t status = helper_end(i, &end);
    bool is_so = status == OK && end.kind == EXIT_FAULT && end.code == PAGE_FAULT &&
                 end.address == VIEW && end.reason == E_FAULT;
    check(is_so && board->n[i] <= n_before + 1 && board->seen[i] == WORD,
          "who reads %s faults at its next access", names[i]);
}

void try_readers(void)
{
    uint64_t n[N_READERS];
    volatile uint64_t *mine = (volatile uint64_t *)MINE;
    *mine = WORD;
    status_t status = map_views();
    check_status(status == OK ? start_readers() : status, OK,
                 "shares its land, and it is shared on");
    check(helpers_work(N_READERS, 100), "all of them read it");
    status = vmm_revoke(LAND, GRANT);
    *mine = SECRET; // at once
    for (unsigned i = 0; i < N_READERS; i++)
        n[i] = board->n[i];
    check_status(status, OK, "revokes the first capability");
    for (unsigned i = 0; i < N_READERS; i++)
        check_end(i, n[i]);
    struct vmm_page page = {0};
    check(*mine == SECRET && vmm_query(LAND, FIELD, &page) == OK && page.flags & PAGE_MAPPED,
          "the owner keeps its own");
    owner_forget();
}

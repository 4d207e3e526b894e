// SPDX-License-Identifier: MIT
// A capability is revoked from which a thousand are derived, all of which somebody holds.
#include "rows.h"

enum { SOURCE = FREE };

#define DERIVED         1024u
#define FIRST           64u  // their slots: further ones
#define SLOTS_AT_A_TIME 250u // that one request gives
#define N               5u

static status_t get_slots(void)
{
    status_t status = OK;
    for (unsigned n = 0; status == OK && n < DERIVED; n += SLOTS_AT_A_TIME)
        status = vmm_task_slots(SELF);
    return status;
}

static status_t derive_all(void)
{
    status_t status = vmm_derive(SLOT_SELF, LAND(1), 1, RIGHT_QUERY | RIGHT_DERIVE, SOURCE);
    for (unsigned i = 0; status == OK && i < DERIVED; i++)
        status = vmm_derive(SOURCE, LAND(1), 1, RIGHT_QUERY, FIRST + i);
    return status;
}

static status_t drop_all(void)
{
    status_t status = ipc_drop(SOURCE);
    for (unsigned i = 0; status == OK && i < DERIVED; i++)
        status = ipc_drop(FIRST + i);
    return status;
}

static status_t revoke_all(struct row *row)
{
    struct vmm_page page;
    status_t status = derive_all();
    if (status == OK)
        status = vmm_query(FIRST + DERIVED - 1, LAND(1), &page);
    if (status == OK)
        SAMPLE(row, status = vmm_revoke(SOURCE, 0));
    if (status == OK && vmm_query(FIRST + DERIVED - 1, LAND(1), &page) != E_REVOKED)
        status = E_FAULT;
    return status == OK ? drop_all() : status;
}

status_t revoke_rows(void)
{
    static struct row row = {.name = "revoke", .per = DERIVED};
    status_t status = get_slots();
    for (unsigned i = 0; status == OK && i < N; i++)
        status = revoke_all(&row);
    if (status == OK)
        row_report(&row);
    return status;
}

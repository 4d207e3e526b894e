// SPDX-License-Identifier: MIT
// The groups of rows. Each answers OK if every operation did what it should; a row whose operation
// fails is not printed.
#pragma once

#include "ipc/init_client.h"
#include "ipc/vmm_client.h"
#include "test/bench/lib/sample.h"

// Slots of the meter. Those from FREE on are a group's own, and empty again when it ends.
enum { ECHO = SLOT_FREE, TAKER, GIVER, BELL, TURN, SELF, FREE };

#define RW (PROT_R | PROT_W)

// Each group's land begins with a root entry of its own, so that no table of it has other pages.
#define LAND_SIZE (1ul << 39)
#define LAND(n)   ((n)*LAND_SIZE)

must_check status_t message_rows(void);
must_check status_t notify_rows(void);
must_check status_t page_rows(void);
must_check status_t bulk_rows(void);
must_check status_t bulk_clone_rows(void);
must_check status_t clone_rows(void);
must_check status_t write_rows(void);
must_check status_t task_rows(void);
must_check status_t revoke_rows(void);
must_check status_t pager_rows(void);
must_check status_t series_rows(void);

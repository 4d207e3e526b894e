// SPDX-License-Identifier: MIT
// The core's ports as kernel calls, and messages as requests.
#pragma once

#include "core/request.h"

extern const struct ports native_ports;

// Waits for a message. The reply slot is empty before.
void native_receive(struct vmm *vm, struct request *r);

// Answers the request in it, then waits for the next.
void native_reply_receive(struct vmm *vm, struct request *r);

// Says what failed, and ends the machine as failed.
_Noreturn void native_fail(const char *what, status_t status);

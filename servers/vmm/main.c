// SPDX-License-Identifier: MIT
// The memory server: receives a message, has the core serve it, replies; forever.
#include "core/request.h"
#include "core/start.h"
#include "native.h"

static void start(struct vmm *vm, const struct boot_info *info)
{
    status_t status = vmm_start(vm, info, &native_ports, NULL);
    if (status == OK)
        status = vmm_start_init(vm, info);
    if (status != OK)
        native_fail("start", status);
}

int main(const struct boot_info *info)
{
    struct vmm vm;
    struct request request;
    start(&vm, info);
    native_receive(&vm, &request);
    for (;;) {
        request_serve(&vm, &request);
        if (request.is_answered)
            native_reply_receive(&vm, &request);
        else
            native_receive(&vm, &request);
    }
}

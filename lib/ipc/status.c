// SPDX-License-Identifier: MIT
#include "ipc/status.h"

const char *status_name(status_t status)
{
    switch (status) {
#define STATUS_CASE(name, value, text) \
    case name:                         \
        return #name;
        STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    default:
        return "E_?";
    }
}

const char *status_text(status_t status)
{
    switch (status) {
#define STATUS_CASE(name, value, text) \
    case name:                         \
        return text;
        STATUS_LIST(STATUS_CASE)
#undef STATUS_CASE
    default:
        return "unknown status";
    }
}

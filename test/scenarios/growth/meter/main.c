// SPDX-License-Identifier: MIT
#include "meter.h"

void tell(const char *what, uint64_t size, uint64_t cost)
{
    log_format("# cost: %s %lu: %lu\n", what, size, cost);
}

uint64_t main(uint64_t argument)
{
    (void)argument;
    if (get("self", SELF) != OK)
        return 1;
    test_ranges();
    test_differences();
    test_crowds();
    return 0;
}

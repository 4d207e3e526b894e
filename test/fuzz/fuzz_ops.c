// SPDX-License-Identifier: MIT
// libFuzzer: eight bytes are an operation; the core must do what the model does.
#include <stdlib.h>

#include "test/unit/model/sequence.h"

#define OPS_MAX 64u // a longer input says nothing new

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct trial trials[4] = {
        {"4 levels", universe_mixed, {4, 2048, 7, 0}, 1, OPS_MAX},
        {"5 levels", universe_mixed, {5, 2048, 3, 0}, 1, OPS_MAX},
        {"4 levels, steps of 3 units", universe_mixed, {4, 2048, 7, 3}, 1, OPS_MAX},
        {"5 levels, steps of 600 units", universe_mixed, {5, 2048, 3, 600}, 1, OPS_MAX},
    };
    if (len < 1 + 8 || len > 1 + 8 * OPS_MAX)
        return -1;
    if (!sequence_bytes(&trials[bytes[0] & 3], bytes + 1, len - 1))
        abort();
    return 0;
}

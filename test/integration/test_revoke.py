# SPDX-License-Identifier: MIT
"""The scenario `revoke` on other machines, and with a clock that counts instructions."""
import re

import pytest

INSTRUCTIONS_MAX = 250_000  # of a step of a revoke, with the call and the reply


@pytest.mark.parametrize("config", [{"cpu": "qemu64", "memory": "32M"}, {"cpu": "max,-la57"}], ids=str)
def test_on_other_machines(boot, config):
    boot("revoke", **config).check()


def test_a_step_is_bounded_R4(boot):
    """Thousands of derivations, in a chain and beside each other: no step takes the VMM long."""
    result = boot("revoke", timeout=120, icount="shift=4,sleep=off").check()
    found = [match for line in result.lines
             if (match := re.fullmatch(r"# owner: (\d+) steps, the longest took (\d+) cycles", line))]
    assert len(found) == 1, result.explain()
    assert int(found[0][1]) >= 6
    assert int(found[0][2]) >> 4 < INSTRUCTIONS_MAX

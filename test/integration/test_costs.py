# SPDX-License-Identifier: MIT
"""What requests cost, in instructions: the scenario `cost` on a machine whose clock counts them."""
import re

import pytest

pytestmark = pytest.mark.xdist_group("costs")  # one worker: the boot is shared

SIZES = ("1 MiB", "16 MiB", "512 MiB", "4 GiB, sparse")  # of 4 KiB pages


@pytest.fixture(scope="module", params=["max", "max,-la57"])
def costs(request, boot):
    """{"clone of 1 MiB": instructions, ...}"""
    result = boot("cost", memory="1G", cpu=request.param, icount="shift=0").check()
    lines = (re.fullmatch(r"# cost: (.*): (\d+)", line) for line in result.lines)
    return {match[1]: int(match[2]) for match in lines if match}


def test_a_clone_costs_the_same_whatever_is_mapped(costs):
    """C16: to the instruction."""
    assert len({costs[f"clone of {size}"] for size in SIZES}) == 1, costs


def test_a_clone_copies_the_root_alone(costs):
    """It costs next to nothing more than the clone of an empty space does."""
    assert costs["clone of 512 MiB"] - costs["clone of nothing"] < 200
    assert costs["clone of 512 MiB"] < 20_000


def test_diff_costs_what_the_difference_is(costs):
    """Equal subtrees are skipped: nothing is nothing, and one page is the tables on its path."""
    assert len({costs[f"diff of nothing in {size}"] for size in SIZES}) == 1, costs
    one_page = [costs[f"diff of a page in {size}"] for size in SIZES]
    assert max(one_page) < 1.1 * min(one_page), costs


def test_rollback_costs_what_the_difference_is(costs):
    """It drops the tables on the path to the page: 512 entries each at most."""
    for size in SIZES:
        assert costs[f"rollback of a page in {size}"] < 50_000, costs


def test_lazy_memory_costs_the_same_whatever_its_size(costs):
    """M9: the fewer tables it needs, the cheaper; a page needs the most."""
    for what in ("map", "unmap"):
        for size in ("1 GiB", "1 TiB"):
            assert costs[f"lazy {what} of {size}"] <= costs[f"lazy {what} of 4 KiB"]
        assert costs[f"lazy {what} of 1 TiB"] < 20_000

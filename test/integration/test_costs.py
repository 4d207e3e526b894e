# SPDX-License-Identifier: MIT
"""What requests cost, in instructions: the scenarios `cost` and `growth` on a machine whose clock
counts them."""
import re
from pathlib import Path

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
    """C16: to the instruction, but for where the allocator finds the root's frame."""
    clones = [costs[f"clone of {size}"] for size in SIZES]
    assert max(clones) < min(clones) + 20, costs


def test_a_clone_copies_the_root_alone(costs):
    """It costs next to nothing more than the clone of an empty space does."""
    assert costs["clone of 512 MiB"] - costs["clone of nothing"] < 200
    assert costs["clone of 512 MiB"] < 20_000


def test_diff_costs_what_the_difference_is(costs):
    """Equal subtrees are skipped: nothing is nothing, and one page is the tables on its path."""
    assert len({costs[f"diff of nothing in {size}"] for size in SIZES}) == 1, costs
    one_page = [costs[f"diff of a page in {size}"] for size in SIZES]
    assert max(one_page[:-1]) < 1.01 * min(one_page[:-1]), costs
    assert one_page[-1] <= one_page[0], costs  # its last table went with the page
    assert one_page[0] < 25_000, costs


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


@pytest.fixture(scope="module", params=["max", "max,-la57"])
def growth(request, boot):
    """growth(what, size): instructions"""
    result = boot("growth", memory="256M", cpu=request.param, icount="shift=0").check()
    lines = (re.fullmatch(r"# cost: (.*) (\d+): (\d+)", line) for line in result.lines)
    found = {(match[1], int(match[2])): int(match[3]) for match in lines if match}
    return lambda what, size: found[what, size]


RANGES = (1, 16, 256, 1024, 4096)  # pages


@pytest.mark.parametrize("what", ["clone", "drop of a clone", "unmap in a clone"])
def test_an_untouched_clone_costs_the_same_whatever_its_size(growth, what):
    """To be made, to be dropped, to be emptied: none of them looks at a page."""
    costs = [growth(what, size) for size in RANGES]
    assert max(costs) < 1.02 * min(costs), costs


def a_page(growth, what, fewer, more):
    """What each page more costs."""
    return (growth(what, more) - growth(what, fewer)) / (more - fewer)


# The most that a page may cost beside what the request does: 4 KiB are zeroed in 512 steps.
@pytest.mark.parametrize("what, most", [("map", 512 + 200), ("protect", 40), ("unmap", 80)])
def test_ranges_cost_what_their_pages_do(growth, what, most):
    """Each of thousands as much as each of hundreds: nothing is walked twice."""
    few, many = a_page(growth, what, 256, 1024), a_page(growth, what, 1024, 4096)
    assert many < most, many
    assert many < 1.2 * few, (few, many)


def test_each_difference_costs_the_same(growth):
    few, many = a_page(growth, "diff", 256, 1024), a_page(growth, "diff", 1024, 4096)
    assert few / 1.1 < many < 1.1 * few, (few, many)
    assert many < 2_500, many


@pytest.mark.parametrize("differences", [256, 1024])
def test_differences_cost_the_same_in_much_that_is_equal(growth, differences):
    """Tables that both have are skipped."""
    alone, in_much = (growth(what, differences) for what in ("diff", "diff in much"))
    assert in_much < 1.05 * alone, (alone, in_much)


@pytest.mark.parametrize("crowd", ["spaces", "grants", "tasks"])
@pytest.mark.parametrize("request_", ["query", "map", "touch", "unmap", "clone", "drop", "task"])
def test_requests_cost_the_same_in_a_crowd(growth, request_, crowd):
    """Nothing is searched for what asks, or for what is asked about. A page or a table more may have to
    be zeroed: whether a frame is known to be zero depends on who had it before."""
    zeroing = 520 if request_ in ("map", "touch", "clone", "task") else 0
    alone, *among = (growth(f"{request_} among {crowd}", size) for size in (1, 100, 1000))
    assert max(among) < 1.05 * alone + zeroing, (alone, among)


VMM_H = Path(__file__).resolve().parents[2] / "servers/vmm/core/vmm.h"
STEP = 10 * int(re.search(r"#define STEP_WORK (\d+)u", VMM_H.read_text())[1])  # ten a unit


@pytest.fixture(scope="module", params=["max", "max,-la57"])
def steps(request, boot):
    """{"longest step of map of 512 MiB": instructions, ...}"""
    result = boot("steps", timeout=240, memory="1G", cpu=request.param, icount="shift=0").check()
    lines = (re.fullmatch(r"# cost: (longest .*): (\d+)", line) for line in result.lines)
    return {match[1]: int(match[2]) for match in lines if match}


def test_no_message_keeps_the_vmm_for_long(steps):
    """Whatever is asked of it, however much: who comes next waits for one step, and for a step of what is
    under way or left over (a revoke, tables to be freed) that his own message does."""
    assert len(steps) == 2 * 14, steps
    assert {what: cost for what, cost in steps.items() if cost > 2 * STEP} == {}
    assert {what: cost for what, cost in steps.items() if not cost} == {}

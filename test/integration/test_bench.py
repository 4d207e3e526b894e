# SPDX-License-Identifier: MIT
"""`make bench` in short: no row costs more than recorded, and README shows what is recorded."""
from pathlib import Path

import pytest

from cadastre import bench_ours, bench_record

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
RECORDED = bench_record.load(TOP / "test/bench/recorded.json")

pytestmark = pytest.mark.xdist_group("bench")  # one worker: the boot is shared


@pytest.fixture(scope="module")
def numbers():
    return bench_ours.numbers(bench_ours.measure(BUILD, 4), BUILD)


@pytest.mark.parametrize("name", RECORDED["ours"])
def test_no_row_costs_more_than_recorded(numbers, name):
    ours = {name: numbers[name]} if name in numbers else {}
    assert not bench_record.breaches({name: RECORDED["ours"][name]}, ours)


def test_every_row_is_recorded(numbers):
    assert set(numbers) == set(RECORDED["ours"]), "`make bench RECORD=1` records what is new"


def test_the_readme_shows_what_is_recorded():
    readme = (TOP / "README.md").read_text()
    assert bench_record.with_table(readme, bench_record.readme_table(RECORDED)) == readme, (
        "`make bench RECORD=1` writes the table of README.md")

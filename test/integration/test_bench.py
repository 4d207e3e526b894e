# SPDX-License-Identifier: MIT
"""`make bench` in short: no row costs more than recorded, and README shows what is recorded."""
from pathlib import Path

import pytest

from cadastre import bench, bench_record

TOP = Path(__file__).resolve().parents[2]
RECORDED = bench_record.load(TOP / "test/bench/recorded.json")

pytestmark = pytest.mark.xdist_group("bench")  # one worker: the boots are shared


@pytest.fixture(scope="module")
def problems():
    """What is worse than recorded, in words; each begins with the name of its row."""
    results, _ = bench.measure_ours(TOP / "build")
    return bench_record.breaches(RECORDED, results)


@pytest.mark.parametrize("name", RECORDED["ours"])
def test_no_row_costs_more_than_recorded(problems, name):
    assert not [problem for problem in problems if problem.split()[0] == name]


def test_every_row_is_recorded(problems):
    assert not [problem for problem in problems if "no recorded number" in problem]


def test_the_readme_shows_what_is_recorded():
    readme = (TOP / "README.md").read_text()
    assert bench_record.with_table(readme, bench_record.readme_table(RECORDED)) == readme, (
        "`make bench RECORD=1` writes the table of README.md")

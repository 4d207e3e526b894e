# SPDX-License-Identifier: MIT
"""HACKING shows the sources of a scenario that is built and booted: to the letter."""
import textwrap
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
LODGER = TOP / "test/scenarios/lodger"


@pytest.mark.parametrize("name", ["manifest", "lodger.c", "owner.c"])
def test_the_example_is_the_scenario(name):
    text = (LODGER / name).read_text()
    if name.endswith(".c"):
        text = text.split("\n", 1)[1]  # the licence
    assert textwrap.indent(text, "    ") in (TOP / "HACKING.md").read_text()


def test_nothing_else_is_in_the_folder():
    assert sorted(path.name for path in LODGER.iterdir()) == ["lodger.c", "manifest", "owner.c"]

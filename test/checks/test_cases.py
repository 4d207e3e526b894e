# SPDX-License-Identifier: MIT
"""Each case of test/cases.txt is named by the test that makes it."""
import re
from pathlib import Path

import pytest

TEST = Path(__file__).resolve().parents[1]
IDS = re.findall(r"^([A-Z]\d+)  ", (TEST / "cases.txt").read_text(), re.MULTILINE)
SOURCES = [path for suffix in ("c", "S", "py") for path in TEST.rglob(f"*.{suffix}")]
_ID = re.compile(r"(?<![A-Za-z0-9])[A-Z]\d+(?![A-Za-z0-9])")
NAMED = {name for path in SOURCES for name in _ID.findall(path.read_text())}


def test_the_list_is_one():
    assert len(IDS) > 40 and len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("case", IDS)
def test_case_is_named(case):
    assert case in NAMED

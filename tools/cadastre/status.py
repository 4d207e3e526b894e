# SPDX-License-Identifier: MIT
"""The status codes that kernel, VMM and clients answer, read from their home, lib/ipc/status.h.

    status.by_name()["E_NOMEM"].value == -8
    status.by_value()[-8].text == "no free frame is left"
"""
from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / "lib" / "ipc" / "status.h"

_ENTRY = re.compile(r'X\(\s*(\w+)\s*,\s*(-?\d+)\s*,\s*"((?:[^"\\]|\\.)*)"\s*\)')


@dataclass(frozen=True)
class Status:
    name: str
    value: int
    text: str


@functools.cache
def statuses(header: Path = HEADER) -> tuple[Status, ...]:
    """The list, in the header's order. A list that is empty or ambiguous is a ValueError."""
    found = tuple(Status(name, int(value), text)
                  for name, value, text in _ENTRY.findall(header.read_text()))
    names, values = {s.name for s in found}, {s.value for s in found}
    if not found or len(names) < len(found) or len(values) < len(found):
        raise ValueError(f"{header}: no status list, or names or values that repeat")
    return found


def by_name(header: Path = HEADER) -> dict[str, Status]:
    return {status.name: status for status in statuses(header)}


def by_value(header: Path = HEADER) -> dict[int, Status]:
    return {status.value: status for status in statuses(header)}

# SPDX-License-Identifier: MIT
"""The numbers that C headers give a name by #define, which no debugging information tells.

    constants("servers/vmm/core/pte.h", "arch/x86_64/include/arch/pte.h")["PTE_MAX"]
"""
from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

_DEFINE = re.compile(r"^#define\s+(\w+)[ \t]+(.+?)(?:\s*//.*)?$", re.MULTILINE)
_NUMBER = re.compile(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]*\b")
_EXPRESSION = re.compile(r"[\d\sxXa-fA-F()|&~<>+*-]+")


def constants(*headers: str) -> dict[str, int]:
    """The macros of the headers that stand for a number, whatever other such macros they name."""
    texts = {name: _NUMBER.sub(r"\1", text) for header in headers
             for name, text in _DEFINE.findall((TOP / header).read_text())}

    def value(name: str) -> int | None:
        text = re.sub(r"\b[A-Z_]\w*\b", lambda match: str(value(match[0])), texts.get(name, ""))
        return eval(text) if _EXPRESSION.fullmatch(text) else None  # digits and operators only

    return {name: number for name in texts if (number := value(name)) is not None}

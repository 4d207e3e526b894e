# SPDX-License-Identifier: MIT
"""Shows serial lines to a person as they come: in colour on a terminal, plain into a pipe."""
from __future__ import annotations

import sys
from collections.abc import Callable

from cadastre.ktap import PANIC_MARKERS, VERSION_LINE

_STYLES = (("ok ", "green"), ("not ok ", "bold red"), ("#", "dim"), (VERSION_LINE, "dim"),
           ("1..", "dim"))


def _style(line: str) -> str:
    if any(marker in line for marker in PANIC_MARKERS):
        return "bold white on red"
    return next((style for start, style in _STYLES if line.startswith(start)), "")


def _plain(line: str) -> None:
    if line.strip():
        print("".join(c if c.isprintable() or c == "\t" else "?" for c in line), flush=True)


def line_printer() -> Callable[[str], None]:
    """A function that prints one line, as fits what standard output is."""
    if not sys.stdout.isatty():
        return _plain
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)

    def coloured(line: str) -> None:
        if line.strip():
            console.print(Text(line, style=_style(line)), soft_wrap=True)

    return coloured

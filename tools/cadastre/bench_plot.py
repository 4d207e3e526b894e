# SPDX-License-Identifier: MIT
"""The plot of `make bench`: what clone, map, unmap and protect cost against the number of pages."""
from __future__ import annotations

import re
from pathlib import Path

from cadastre.bench_rows import Measured, net

OPERATIONS = {"clone": "copy-on-write clone", "map": "map, without zeroing", "unmap": "unmap",
              "protect": "protect"}

Series = dict[str, dict[int, float]]  # operation: {pages: instructions}

_STYLES = {"Cadastre": ("#1f6feb", "o"), "Linux": ("#8c8c8c", "s")}


def series(measured: dict[str, Measured]) -> Series:
    """The points in the rows that are called series_OPERATION_PAGES."""
    found: Series = {}
    for name in measured:
        if match := re.fullmatch(r"series_([a-z]+)_(\d+)", name):
            operation, pages = match[1], int(match[2])
            without = "zeroing" if operation == "map" else ""
            found.setdefault(operation, {})[pages] = net(measured, name, without)
    return found


def write(systems: dict[str, Series], path: Path) -> None:
    """An SVG with a panel for each operation and a line for each system, such as "Linux"."""
    import matplotlib  # takes a second, so not for those who do not plot
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "cadastre"  # the same plot is the same file
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 2, figsize=(9, 7), layout="constrained", sharex=True)
    for panel, (operation, title) in zip(panels.flat, OPERATIONS.items()):
        for system, lines in systems.items():
            points = sorted(lines.get(operation, {}).items())
            if points:
                colour, marker = _STYLES[system]
                panel.plot(*zip(*points), label=system, color=colour, marker=marker)
        panel.set(title=title, xscale="log", yscale="log")
        panel.grid(True, which="major", alpha=0.3)
        panel.legend()
    figure.supxlabel("4 KiB pages")
    figure.supylabel("instructions a request")
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)

# SPDX-License-Identifier: MIT
"""The table that `make bench` prints, and build/bench.json."""
from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cadastre.bench_linux import ARGUMENTS
from cadastre.bench_log import Counts
from cadastre.bench_ours import CPU, ICOUNT, MEMORY
from cadastre.bench_plot import Series
from cadastre.bench_rows import ROWS, Row


@dataclass
class Results:
    """All that was measured, by the names of rows; empty where a part did not run."""

    ours: dict[str, float]  # medians, 4 levels
    least: dict[str, float] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)  # of a sample, traced
    weighted: dict[str, float] = field(default_factory=dict)
    five: dict[str, float] = field(default_factory=dict)
    linux: dict[str, float] = field(default_factory=dict)
    linux_version: str = ""
    series: dict[str, Series] = field(default_factory=dict)  # a system each


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def _verdict(row: Row, cost: float) -> str:
    if row.target is None:
        return ""
    if row.dream is not None and cost <= row.dream:
        return "dream"
    return "reached" if cost <= row.target else f"{cost / row.target:.1f} x"


COLUMNS = ("operation", "ours", "min", "5 levels", "seL4", "Linux", "Linux/ours", "target",
           "dream", "", "entered", "CR3", "inv", "PTEs", "weighted")


def _cells(row: Row, results: Results) -> tuple[str, ...]:
    cost, linux = results.ours[row.name], results.linux.get(row.name)
    ratio = f"{linux / cost:.1f}" if linux and cost else ""
    counts = results.counts.get(row.name)
    events = (counts.kernel_entries, counts.cr3_loads, counts.invalidations,
              counts.entries) if counts else ()
    return (row.text, _number(cost), _number(results.least.get(row.name)),
            _number(results.five.get(row.name)), row.sel4, _number(linux), ratio,
            _number(row.target), _number(row.dream), _verdict(row, cost),
            *(map(_number, events) if counts else ("", "", "", "")),
            _number(results.weighted.get(row.name)))


def head(results: Results) -> str:
    """What the columns are."""
    lines = [f"Instructions an operation: QEMU -icount {ICOUNT} -cpu {CPU[4]} -m {MEMORY}, medians."]
    if results.linux:
        lines.append(f"Linux {results.linux_version} on the same machine: {ARGUMENTS}")
    lines.append("seL4 as measured elsewhere. A request: how often it entered the kernel, loaded CR3, "
                 "invalidated,\nand how many entries of page tables are others than before. "
                 "weighted: + 100 a kernel entry,\n200 a CR3 load, 100 an invalidation.")
    return "\n".join(lines) + "\n"


def table(results: Results) -> str:
    """A line for each row that was measured. What is counted beside instructions is
    that of the whole request, where a row is a page's share of one."""
    lines = [COLUMNS] + [_cells(row, results) for row in ROWS if row.name in results.ours]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) if i in (0, 9)
                               else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)


def write_json(results: Results, path: Path) -> None:
    """Everything, a row an object."""
    rows = [{"name": row.name, "operation": row.text, "ours": results.ours[row.name],
             "min": results.least.get(row.name), "five_levels": results.five.get(row.name),
             "weighted": results.weighted.get(row.name),
             "counts": asdict(results.counts[row.name]) if row.name in results.counts else None,
             "linux": results.linux.get(row.name), "sel4": row.sel4 or None,
             "target": row.target, "dream": row.dream}
            for row in ROWS if row.name in results.ours]
    everything = {"linux": results.linux_version or None, "rows": rows, "series": results.series}
    path.write_text(json.dumps(everything, indent=1) + "\n")

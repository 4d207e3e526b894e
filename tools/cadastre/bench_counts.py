# SPDX-License-Identifier: MIT
"""What the traced boot says of each row: kernel entries, CR3 loads, invalidations, entries of
page tables changed; and a check that it is the same operation that was timed."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cadastre.bench_listing import histogram, listing, text
from cadastre.bench_log import Counts, Instruction, count
from cadastre.bench_rows import PAGE_STEPS, ROWS, Measured
from cadastre.bench_trace import trace

# Samples of a row differ by an allocation that splits a block, or a timer's tick before them that
# left something to tidy up: this much, or this share; and by a page of zeroing, where the frame for a
# table was one and is zero still.
SLACK_INSTRUCTIONS = 40
SLACK = 0.05


def elfs(build: Path) -> list[Path]:
    """The programs of the bench image."""
    return [build / f"{name}.elf" for name in ("kernel", "vmm", "init")] + sorted(
        (build / "bench").glob("*.elf"))


def check(name: str, measured: Measured, counts: Counts) -> None:
    """Raises ValueError where the trace contradicts what was timed."""
    slack = max(SLACK_INSTRUCTIONS, SLACK * measured.median)
    difference = abs(counts.instructions - measured.median)
    if min(difference, abs(difference - PAGE_STEPS)) > slack:
        raise ValueError(f"{name}: {counts.instructions:,} instructions were traced, "
                         f"{measured.median:,} timed")
    for what, steps, pages in (("zeroed", counts.zeroing_steps, measured.zeroed),
                               ("copied", counts.copying_steps, measured.copied)):
        if steps < pages * PAGE_STEPS:
            raise ValueError(f"{name}: {pages} pages should have been {what}, which takes "
                             f"{pages * PAGE_STEPS:,} steps; {steps:,} were traced")


def measure(build: Path, measured: dict[str, Measured],
            on_row: Callable[[str], None] = lambda name: None) -> dict[str, Counts]:
    """Boots and traces every row that was timed."""
    rows = {row.name for row in ROWS} & set(measured)
    found: dict[str, Counts] = {}
    wrong: dict[str, ValueError] = {}

    def done(name: str, ran: list[Instruction], entries: int) -> bool:
        on_row(name)
        found[name] = count(ran, entries, measured["bracket"].median)
        wrong.pop(name, None)
        try:
            check(name, measured[name], found[name])
        except ValueError as error:
            wrong[name] = error
        return name not in wrong

    trace(build, 4, rows.__contains__, done)
    for error in wrong.values():
        raise error
    return found


def weighted(counts: dict[str, Counts], measured: dict[str, Measured],
             ours: dict[str, float]) -> dict[str, float]:
    """{row: what an operation costs, with its share of the weights}"""
    return {name: round(ours[name] + counted.weight() / measured[name].per, 1)
            for name, counted in counts.items() if name in ours}


def explain(build: Path, levels: int, wanted: str, folder: Path) -> str:
    """Traces the row `wanted`: the listing goes to a file; in which functions it was, in words."""
    found: list[Instruction] = []

    def done(name: str, ran: list[Instruction], entries: int) -> bool:
        found.extend(ran)
        return True

    trace(build, levels, lambda name: name == wanted, done)
    if not found:
        raise ValueError(f"no row is called {wanted!r}: {', '.join(row.name for row in ROWS)}")
    lines = listing(found, elfs(build))
    file = folder / f"{wanted}.txt"
    file.write_text(text(lines))
    return f"{histogram(lines)}\n{wanted}: {len(lines):,} instructions; each is in {file}"

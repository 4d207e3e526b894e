# SPDX-License-Identifier: MIT
"""The recorded numbers: what each row cost when somebody last said that it may cost that.

`make bench RECORD=1` writes them, and the table in README.md that shows some of them. A row that
costs more than its recorded number and the tolerance is a failure; one that costs less never is.
"""
from __future__ import annotations

import json
from pathlib import Path

from cadastre.bench_report import Results
from cadastre.bench_rows import ROWS

TOLERANCE = 0.03

HEADLINES = (("call_4", "call + reply between two spaces, four words"),
             ("touch", "demand-zero fault, without zeroing the page"),
             ("map_4096", "map 4,096 pages, each, without zeroing"),
             ("unmap_4096", "unmap 4,096 pages, each"),
             ("clone_32768", "copy-on-write clone of 32,768 pages"),
             ("spawn", "create and start a task"))

README_HEAD = "| what it costs, in instructions | seL4 | Linux | Cadastre |\n|---|---:|---:|---:|\n"

def _shown(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}" if number >= 100 else f"{number:g}"


def load(path: Path) -> dict[str, dict[str, float]]:
    """{"ours": {row: number}, "weighted": {row: number}, "linux": {row: number}}"""
    return json.loads(path.read_text()) if path.exists() else {
        "ours": {}, "weighted": {}, "linux": {}}


def save(path: Path, results: Results) -> None:
    """Linux's numbers stay as they were where it was not measured this time."""
    numbers = {"ours": results.ours, "weighted": results.weighted,
               "linux": results.linux or load(path)["linux"]}
    path.write_text(json.dumps(numbers, indent=4) + "\n")


def _breaches(recorded: dict[str, float], ours: dict[str, float], unit: str) -> list[str]:
    problems = []
    for name, number in ours.items():
        if name not in recorded:
            problems.append(f"{name} costs {number:,g}{unit} and has no recorded number: "
                            "`make bench RECORD=1` records it")
        elif number > recorded[name] * (1 + TOLERANCE):
            problems.append(f"{name} costs {number:,g}{unit}, recorded are {recorded[name]:,g}: "
                            f"{number / recorded[name] - 1:+.1%}")
    return problems + [f"{name} is recorded{unit}, but was not measured"
                       for name in recorded if name not in ours]


def breaches(recorded: dict[str, dict[str, float]], results: Results) -> list[str]:
    """What is worse than recorded, in words; and rows that are only on one side."""
    return (_breaches(recorded["ours"], results.ours, "") +
            _breaches(recorded["weighted"], results.weighted, " weighted"))


def readme_table(recorded: dict[str, dict[str, float]]) -> str:
    """The table of README.md."""
    rows = {row.name: row for row in ROWS}
    ours, linux = recorded["ours"], recorded["linux"]
    lines = [f"| {text} | {rows[name].sel4} | {_shown(linux.get(name))} | {_shown(ours.get(name))} |"
             for name, text in HEADLINES]
    return README_HEAD + "\n".join(lines) + "\n"


def with_table(readme: str, table: str) -> str:
    """`readme` with its table replaced. Raises ValueError if it has none."""
    start = readme.index(README_HEAD)
    end = readme.index("\n\n", start) + 1
    return readme[:start] + table + readme[end:]

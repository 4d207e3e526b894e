# SPDX-License-Identifier: MIT
"""`make bench`: what operations cost here and on Linux, in instructions.

    /usr/bin/python3 -m cadastre.bench --help
"""
from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from cadastre import (bench_counts, bench_linux, bench_ours, bench_plot, bench_record,
                      bench_report, bench_stretch)
from cadastre.bench_report import Results
from cadastre.bench_rows import ROWS, net
from cadastre.bench_stretch import Stretch
from cadastre.machine import BootError, BootFailed


def _progress(what: str) -> None:
    """On a terminal one line that changes."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def _watch(what: str) -> Callable[[str], None]:
    """Says that a boot begins; the answer is called with each of its rows."""
    if not sys.stderr.isatty():
        print(f"bench: {what}", file=sys.stderr, flush=True)
    _progress(f"{what}: boots")
    return lambda name: _progress(f"{what}: {name}")


def measure_ours(build: Path) -> tuple[Results, Stretch]:
    """Cadastre with 4 levels, timed and traced; and for how long interrupts were off."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stretch"
        measured = bench_ours.measure(build, 4, _watch("Cadastre, timed"),
                                      bench_stretch.arguments(build, out))
        stretch = bench_stretch.read(out, "the bench")
    results = Results(bench_ours.numbers(measured, build),
                      bench_ours.numbers(measured, build, "least"))
    results.counts = bench_counts.measure(build, measured, _watch("Cadastre, traced"))
    results.weighted = bench_counts.weighted(results.counts, measured, results.ours)
    results.series["Cadastre"] = bench_plot.series(measured)
    return results, stretch


def _measure_linux(build: Path, results: Results) -> str:
    """Adds Linux's numbers; answers why there are none, or nothing."""
    try:
        measured = bench_linux.measure(build, _watch("Linux"))
    except bench_linux.NoLinux as error:
        return f"no Linux to compare with: {error}"
    results.linux = {row.name: number for row in ROWS
                     if (number := net(measured, row.linux, row.without)) is not None}
    results.linux_version = bench_linux.version(build / "linux")
    results.series["Linux"] = bench_plot.series(measured)
    return ""


def _measure(options: argparse.Namespace) -> int:
    results, stretch = measure_ours(options.build)
    note = ""
    if not options.ours:
        five = bench_ours.measure(options.build, 5, _watch("Cadastre, 5 levels"))
        results.five = bench_ours.numbers(five, options.build)
        note = _measure_linux(options.build, results)
        others = bench_stretch.over_scenarios(options.build, _watch("Cadastre, every scenario"))
        stretch = max(stretch, *others, key=lambda one: one.n_instructions)
    _progress("")
    print(bench_report.head(results), bench_report.table(results), sep="\n")
    print(stretch.text(options.build))
    if note:
        print(note)
    bench_report.write_json(results, options.build / "bench.json")
    if not options.ours:
        bench_plot.write(results.series, options.build / "bench.svg")
    return _record(options, results) if options.record else _judge(options, results)


def _record(options: argparse.Namespace, results: Results) -> int:
    bench_record.save(options.recorded, results)
    table = bench_record.readme_table(bench_record.load(options.recorded))
    options.readme.write_text(bench_record.with_table(options.readme.read_text(), table))
    return 0


def _judge(options: argparse.Namespace, results: Results) -> int:
    problems = bench_record.breaches(bench_record.load(options.recorded), results)
    for problem in problems:
        print(f"WORSE: {problem}")
    return 1 if problems else 0


def _trace(options: argparse.Namespace) -> int:
    print(bench_counts.explain(options.build, 4, options.trace, options.build / "bench"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cadastre.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build"),
                        help="where the images are (default: %(default)s)")
    parser.add_argument("--recorded", type=Path, default=Path("test/bench/recorded.json"),
                        help="the recorded numbers (default: %(default)s)")
    parser.add_argument("--readme", type=Path, default=Path("README.md"),
                        help="whose table shows some of them (default: %(default)s)")
    parser.add_argument("--ours", action="store_true",
                        help="Cadastre with 4 levels only, against the recorded numbers")
    parser.add_argument("--record", action="store_true", help="record what is measured")
    parser.add_argument("--trace", metavar="ROW",
                        help="list each instruction of one row, and in which functions they are")
    return parser


def main() -> int:
    options = _parser().parse_args()
    try:
        return _trace(options) if options.trace else _measure(options)
    except (BootError, BootFailed, ValueError) as error:
        print(f"FAILED: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

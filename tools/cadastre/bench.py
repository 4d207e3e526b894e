# SPDX-License-Identifier: MIT
"""`make bench`: what operations cost here and on Linux, in instructions.

    /usr/bin/python3 -m cadastre.bench --help
"""
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from cadastre import bench_counts, bench_ours, bench_record, bench_report
from cadastre.bench_report import Results
from cadastre.machine import BootError, BootFailed


def _progress(what: str) -> None:
    """One line that changes, on a terminal; nothing into a pipe."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def _watch(what: str) -> Callable[[str], None]:
    _progress(f"{what}: boots")
    return lambda name: _progress(f"{what}: {name}")


def measure_ours(build: Path) -> tuple[Results, str]:
    """Cadastre with 4 levels, timed and traced; and for how long interrupts were off, in words."""
    measured = bench_ours.measure(build, 4, _watch("Cadastre, timed"))
    results = Results(bench_ours.numbers(measured, build),
                      bench_ours.numbers(measured, build, "least"))
    traced = bench_counts.measure(build, measured, _watch("Cadastre, traced"))
    results.counts = traced.counts
    results.weighted = bench_counts.weighted(traced, measured, results.ours)
    return results, bench_counts.longest_path(traced, build)


def _measure(options: argparse.Namespace) -> int:
    results, longest = measure_ours(options.build)
    if not options.ours:
        five = bench_ours.measure(options.build, 5, _watch("Cadastre, 5 levels"))
        results.five = bench_ours.numbers(five, options.build)
    _progress("")
    print(bench_report.table(results))
    print(longest)
    bench_report.write_json(results, options.build / "bench.json")
    if options.record:
        bench_record.save(options.recorded, results)
        table = bench_record.readme_table(bench_record.load(options.recorded))
        options.readme.write_text(bench_record.with_table(options.readme.read_text(), table))
        return 0
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

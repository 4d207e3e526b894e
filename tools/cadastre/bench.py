# SPDX-License-Identifier: MIT
"""`make bench`: what operations cost here and on Linux, in instructions.

    /usr/bin/python3 -m cadastre.bench --help
"""
from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cadastre import bench_ours, bench_record, bench_report
from cadastre.bench_report import Results
from cadastre.machine import BootError, BootFailed


def _progress(what: str) -> None:
    """One line that changes, on a terminal; nothing into a pipe."""
    if sys.stderr.isatty():
        print(f"\r\033[K{what}", end="", file=sys.stderr, flush=True)


def _measure(options: argparse.Namespace) -> Results:
    def watch(levels: int):
        return lambda name: _progress(f"Cadastre, {levels} levels: {name}")

    measured = bench_ours.measure(options.build, 4, watch(4))
    results = Results(bench_ours.numbers(measured, options.build),
                      bench_ours.numbers(measured, options.build, "least"))
    if not options.ours:
        five = bench_ours.measure(options.build, 5, watch(5))
        results.five = bench_ours.numbers(five, options.build)
    _progress("")
    return results


def _record(options: argparse.Namespace, results: Results) -> None:
    bench_record.save(options.recorded, results.ours, results.linux)
    table = bench_record.readme_table(bench_record.load(options.recorded))
    options.readme.write_text(bench_record.with_table(options.readme.read_text(), table))


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
    return parser


def main() -> int:
    options = _parser().parse_args()
    try:
        results = _measure(options)
    except (BootError, BootFailed, ValueError) as error:
        print(f"FAILED: {error}")
        return 1
    print(bench_report.table(results))
    bench_report.write_json(results, options.build / "bench.json")
    if options.record:
        _record(options, results)
        return 0
    problems = bench_record.breaches(bench_record.load(options.recorded)["ours"], results.ours)
    for problem in problems:
        print(f"WORSE: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

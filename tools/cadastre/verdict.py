# SPDX-License-Identifier: MIT
"""What makes a boot a pass.

All of it must hold: the KTAP version line came, one plan 1..N with N > 0 came, every number of
1..N was reported exactly once and as ok (a SKIP is allowed and counted, a TODO is not), no line
broke the format, no panic was printed, and the machine ended itself with POWER_SUCCESS. What did
not hold is told in words, one problem each.
"""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cadastre.ktap import Report
from cadastre.qemu import EXIT_FAILURE, EXIT_SUCCESS


@dataclass
class Verdict:
    """Counts of tests, and every reason why this boot is not a pass."""

    passed_tests: int = 0
    failed_tests: int = 0
    skipped_tests: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.problems


def _numbers(numbers) -> str:
    """1, 2, 3, 7 as "1-3, 7"."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _plan_problems(report: Report) -> list[str]:
    if not report.started:
        return ["no test began: the line 'KTAP version 1' never came"]
    if report.plan is None:
        return [f"no plan: the line '1..N' never came, {len(report.tests)} results did"]
    if report.plan == 0:
        return ["the plan is 1..0: a boot without tests is no pass"]
    counts = Counter(test.number for test in report.tests)
    # Bounded, so that a plan of garbage digits costs nothing.
    missing = report.plan - sum(1 for number in counts if 1 <= number <= report.plan)
    repeated = [number for number, count in counts.items() if count > 1]
    outside = [number for number in counts if not 1 <= number <= report.plan]
    problems = []
    if missing:
        names = [n for n in range(1, min(report.plan, 1000) + 1) if n not in counts]
        problems.append(f"the plan was 1..{report.plan}, but {missing} never reported: "
                        f"{_numbers(names)}")
    if repeated:
        problems.append(f"reported more than once: {_numbers(repeated)}")
    if outside:
        problems.append(f"outside the plan 1..{report.plan}: {_numbers(outside)}")
    return problems


def _test_problems(report: Report) -> list[str]:
    problems = []
    for test in report.tests:
        if test.directive == "TODO":
            problems.append(f"TODO is no pass: {test.number} - {test.text}")
        elif not test.ok:
            detail = "".join(f" ({line})" for line in test.diagnostics)
            problems.append(f"not ok {test.number} - {test.text}{detail}")
    return problems


def _exit_problems(exit_status: int) -> list[str]:
    if exit_status == EXIT_SUCCESS:
        return []
    if exit_status == EXIT_FAILURE:
        return [f"the machine ended itself with a failure (exit status {EXIT_FAILURE})"]
    if exit_status == 0:
        return ["QEMU exited with 0: a reset (triple fault?) or a power-off not by debug-exit"]
    if exit_status < 0:
        return [f"QEMU was killed by signal {-exit_status}"]
    return [f"QEMU exited with {exit_status}, not {EXIT_SUCCESS}"]


def judge(report: Report, exit_status: int) -> Verdict:
    """The verdict on a boot that has ended."""
    skipped = sum(1 for test in report.tests if test.ok and test.directive == "SKIP")
    passed = sum(1 for test in report.tests if test.ok and not test.directive)
    problems = [f"panic: {line}" for line in report.panics]
    problems += _test_problems(report) + _plan_problems(report)
    problems += report.problems + _exit_problems(exit_status)
    return Verdict(passed, len(report.tests) - passed - skipped, skipped, problems)

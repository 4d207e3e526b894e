# SPDX-License-Identifier: MIT
"""Whole boots from canned logs: one passes, every way to fail is a failure that says why."""
import pytest

from cadastre.ktap import Parser, decode
from cadastre.verdict import judge

GOOD = b"""\x1b[2JWelcome to GRUB!\r
Cadastre boots\r
KTAP version 1\r
1..3\r
# filler: 16 pages\r
ok 1 - filler: filled\r
ok 3 - cloner: diverged\r
ok 2 - big: 1 GiB # SKIP the CPU has none\r
all is well\r
"""


def verdict(log, exit_status=33):
    parser = Parser()
    *lines, rest = log.split(b"\n")
    for line in lines:
        parser.feed(decode(line))
    if rest:
        parser.feed(decode(rest), complete=False)
    return judge(parser.report, exit_status)


def test_a_good_boot_passes_and_counts():
    good = verdict(GOOD)
    assert good.passed
    assert (good.passed_tests, good.failed_tests, good.skipped_tests) == (2, 0, 1)


@pytest.mark.parametrize("name, old, new, message", [
    ("silence", GOOD, b"", "'KTAP version 1' never came"),
    ("firmware only", GOOD, b"SeaBIOS\r\nNo bootable device.\r\n", "'KTAP version 1' never came"),
    ("no version line", b"KTAP version 1\r\n", b"", "'KTAP version 1' never came"),
    ("no plan", b"1..3\r\n", b"", "the line '1..N' never came, 3 results did"),
    ("zero tests planned", b"1..3", b"1..0", "a boot without tests is no pass"),
    ("zero tests run", GOOD[GOOD.index(b"# filler"):], b"", "3 never reported: 1-3"),
    ("plan cut short", GOOD[GOOD.index(b"ok 3"):], b"", "2 never reported: 2-3"),
    ("cut mid-line", b"diverged\r\nok 2 - big: 1 GiB # SKIP the CPU has none\r\nall is well\r\n",
     b"dive", "the last line was cut: 'ok 3 - cloner: dive'"),
    ("missing number", b"ok 3 - cloner: diverged\r\n", b"", "1 never reported: 3"),
    ("duplicate number", b"ok 3 -", b"ok 1 -", "reported more than once: 1"),
    ("beyond the plan", b"ok 3 -", b"ok 4 -", "outside the plan 1..3: 4"),
    ("number zero", b"ok 3 -", b"ok 0 -", "outside the plan 1..3: 0"),
    ("not ok", b"ok 1 -", b"not ok 1 -", "not ok 1 - filler: filled (filler: 16 pages)"),
    ("not ok skipped", b"ok 2 -", b"not ok 2 -", "not ok 2 - big: 1 GiB"),
    ("todo", b"SKIP the CPU", b"TODO the CPU", "TODO is no pass: 2 - big: 1 GiB"),
    ("garbage in a result", b"ok 3 -", b"ok \xff3 -", "garbage bytes in a line: 'ok \\\\xff3"),
    ("garbage in free text", b"all is", b"\x00ll is", "garbage bytes in a line"),
    ("panic", b"all is well", b"PANIC: kernel/task.c:7: gone", "panic: PANIC: kernel/task.c:7"),
    ("panic mid-line", b"cloner: diverged", b"cloPANIC: vector 14", "panic: ok 3 - cloPANIC: vec"),
    ("panic cut short", b"all is well\r\n", b"PANIC: vec", "panic: PANIC: vec"),
    ("boot error", b"Cadastre boots", b"boot: error: no module 'vmm'", "panic: boot: error: no mo"),
    ("second boot", b"all is well\r\n", GOOD, "did the machine start again?"),
    ("two plans", b"all is well", b"1..3", "a second plan"),
    ("huge plan", b"1..3", b"1..99999999999999999999", "never reported: 4-1000"),
])
def test_what_is_no_pass_says_why(name, old, new, message):
    assert GOOD.count(old) == 1, "the canned log must hold what is replaced, once"
    failed = verdict(GOOD.replace(old, new))
    assert not failed.passed
    assert any(message in problem for problem in failed.problems), failed.problems


@pytest.mark.parametrize("exit_status, message", [
    (35, "ended itself with a failure"), (0, "triple fault?"), (1, "exited with 1, not 33"),
    (-9, "killed by signal 9"), (32, "exited with 32"),
])
def test_a_good_log_with_a_wrong_exit_is_no_pass(exit_status, message):
    failed = verdict(GOOD, exit_status)
    assert not failed.passed and message in failed.problems[0]


def test_every_problem_is_told():
    failed = verdict(GOOD.replace(b"ok 1", b"not ok 1").replace(b"ok 2", b"ok 9"), 35)
    text = "\n".join(failed.problems)
    for part in ("not ok 1", "outside the plan 1..3: 9", "never reported: 2", "failure"):
        assert part in text

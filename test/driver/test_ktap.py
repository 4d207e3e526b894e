# SPDX-License-Identifier: MIT
"""The parser on lines that a boot may print, and on lines that it may not."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.ktap import Parser, clean, decode


def parse(*lines, start=True):
    parser = Parser()
    for line in (["KTAP version 1"] if start else []) + list(lines):
        parser.feed(line)
    return parser.report


def test_reads_plan_results_directives_and_diagnostics():
    report = parse("1..3", "# a: before", "ok 1 - a: first", "free text", "# b: why",
                   "not ok 2 - b: second", "ok 3 - c: third # SKIP no 1 GiB pages")
    assert report.plan == 3 and not report.problems
    assert [(t.number, t.ok, t.text, t.directive, t.reason) for t in report.tests] == [
        (1, True, "a: first", "", ""), (2, False, "b: second", "", ""),
        (3, True, "c: third", "SKIP", "no 1 GiB pages")]
    assert [t.diagnostics for t in report.tests] == [["a: before"], ["b: why"], []]


def test_a_hash_in_the_text_is_text():
    report = parse("1..1", "ok 1 - a: page #3 is there")
    assert report.tests[0].text == "a: page #3 is there" and not report.tests[0].directive


def test_firmware_noise_before_the_first_line_is_passed_over():
    parser = Parser()
    for raw in (b"\x1b[2J\x1b[01;01H\x1b[=3h\x1b[2J\xff\xfe", b"BdsDxe: loading Boot0001\r",
                b"ok 7 - not a test", b"1..9",
                b"\x1b[0m\x1b[37m\x1b[40mBooting\x1b[HKTAP version 1\r"):
        parser.feed(decode(raw))
    parser.feed("1..1")
    parser.feed("ok 1 - a: b\r")
    assert parser.report.plan == 1 and len(parser.report.tests) == 1
    assert not parser.report.problems


@pytest.mark.parametrize("line, problem", [
    ("KTAP version 1", "second version line"),
    ("1..2", "second plan"),
    ("1..2 tests", "malformed plan"),
    ("ok", "malformed result"),
    ("ok - a: no number", "malformed result"),
    ("ok3 - a: glued", "malformed result"),
    ("ok 3: a", "malformed result"),
    ("not ok three", "malformed result"),
    ("    ok 1 - nested", "malformed result"),
    (decode(b"free \xff\xfe text"), "garbage bytes"),
    ("free \x00 text", "garbage bytes"),
])
def test_what_breaks_the_format_is_a_problem_that_shows_the_line(line, problem):
    report = parse("1..1", line)
    assert len(report.problems) == 1
    assert problem in report.problems[0] and repr(line) in report.problems[0]


def test_panic_markers_count_anywhere_in_a_line_and_before_the_start():
    assert parse("boot: error: no module 'vmm'", start=False).panics
    assert parse("1..1", "ok 1 - a: PANIC: kernel/task.c:10").panics
    assert parse("Bail out! no memory").panics


def test_a_cut_line_is_no_result_but_may_be_a_panic():
    parser = Parser()
    parser.feed("KTAP version 1")
    parser.feed("ok 1 - a: don", complete=False)
    parser.feed("PANIC: pag", complete=False)
    assert not parser.report.tests
    assert "was cut" in parser.report.problems[0]
    assert parser.report.panics == ["PANIC: pag"]


def test_an_unfinished_version_line_starts_nothing():
    parser = Parser()
    parser.feed("KTAP version 1", complete=False)
    assert not parser.report.started


def test_clean_takes_away_escape_codes_only():
    assert clean("\x1b[1;31mred\x1b[0m [2J \x1b]x\r") == "red [2J \x1b]x"


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_make_the_parser_fall_over(chunks):
    parser = Parser()
    for chunk in chunks:
        parser.feed(decode(chunk))
    parser.feed("KTAP version 1")
    for chunk in chunks:
        parser.feed(decode(chunk))

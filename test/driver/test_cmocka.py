# SPDX-License-Identifier: MIT
"""Runs of cmocka programs, with a shell script in the place of one."""
import pytest

from cadastre.cmocka import Run, TestFailed, TestSkipped, list_tests

GOOD = """[==========] Running 2 test(s).
[ RUN      ] first
[       OK ] first
[ RUN      ] second
[  SKIPPED ] second
[==========] 2 test(s) run.
"""


@pytest.fixture
def program(tmp_path):
    def make(script):
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path
    return make


@pytest.fixture
def run(program, tmp_path):
    def make(output, ending="exit 0", names=("first", "second"), timeout=20):
        path = program(f"cat <<'END'\n{output}END\n{ending}")
        return Run(path, list(names), tmp_path / "profile", timeout)
    return make


def test_a_program_lists_its_tests_when_asked(program):
    asked = program('[ "$CADASTRE_LIST_TESTS" ] && '
                    'printf "test: %s\\n" plain "on (4 levels)" plain')
    assert list_tests(asked) == ["plain", "on (4 levels)", "plain[2]"]


@pytest.mark.parametrize("script, message", [
    ("exit 0", "a program without tests is no pass"),
    ("echo test: first; echo wrong >&2; exit 3", "(?s)exit status 3.*wrong"),
    ("exec sleep 60", "does not list its tests within 1 s"),
])
def test_a_program_that_cannot_be_listed_is_a_failure(program, script, message):
    with pytest.raises(TestFailed, match=message):
        list_tests(program(script), timeout=1 if "sleep" in script else 20)


def test_a_program_that_is_not_built_is_a_failure(tmp_path):
    with pytest.raises(TestFailed, match="not built"):
        list_tests(tmp_path / "none")


def test_names_may_hold_blanks(run):
    output = "[ RUN      ] map (4 levels)\n[       OK ] map (4 levels)\n"
    assert run(output, names=["map (4 levels)"]).check("map (4 levels)") is None


def test_a_pass_and_a_skip(run):
    good = run(GOOD)
    assert good.check("first") is None
    with pytest.raises(TestSkipped):
        good.check("second")


@pytest.mark.parametrize("output, ending, name, message", [
    (GOOD.replace("      OK ] first", " FAILED  ] first"), "exit 1", "first", "FAILED"),
    (GOOD.replace("      OK ] first", " ERROR   ] first"), "exit 1", "first", "ERROR"),
    (GOOD[:GOOD.index("[  SKIP")], "kill -11 $$", "second", "(?s)never ended: exit status -11"),
    (GOOD[:GOOD.index("[ RUN      ] second")], "exit 0", "second", "did not run: exit status 0"),
    ("", "exit 0", "first", "did not run"),
    (GOOD, "echo LeakSanitizer: 8 bytes; exit 23", "first", "(?s)first is ok.*23.*8 bytes"),
    (GOOD.replace("second", "third"), "exit 0", "first", "had not listed: third"),
    (GOOD, "exec sleep 60", "first", "killed after 1 s"),
])
def test_what_is_no_pass_says_why(run, output, ending, name, message):
    with pytest.raises(TestFailed, match=message):
        run(output, ending, timeout=1 if "sleep" in ending else 20).check(name)


def test_a_failure_shows_what_the_test_itself_printed(run):
    output = GOOD.replace("[       OK ] first", "t.c:8: 1 != 2\n[  FAILED  ] first")
    failed = run(output, "exit 1")
    with pytest.raises(TestFailed, match="t.c:8: 1 != 2") as caught:
        failed.check("first")
    assert "second" not in str(caught.value)


def test_another_tests_failure_is_not_this_ones(run):
    assert run(GOOD.replace("[  SKIPPED ] second", "[  FAILED  ] second"), "exit 1").check(
        "first") is None

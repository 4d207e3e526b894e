# SPDX-License-Identifier: MIT
"""The shell's front end against a guest that is a shell script."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cadastre import BootFailed, BootTimeout, MachineEnded, Shell, ShellError
from cadastre.shell import is_end, wants_answer

TOP = Path(__file__).resolve().parents[2]
BEGIN = "echo GRUB; echo KTAP version 1; echo 1..1; echo shell: ready"
GOOD_END = "echo shell: end; echo ok 1 - shell: ends; exit 33"
ECHO = f'while read -r line; do [ "$line" = quit ] && {{ {GOOD_END}; }}; eval "$line"; done'


@pytest.fixture
def fake(tmp_path):
    """fake(script): a shell whose guest is the script; commands are given to sh, if it is ECHO."""
    def make(script=ECHO, begin=BEGIN, **options):
        image = tmp_path / "image.iso"
        image.touch()
        program = ("/bin/sh", "-c", f"{begin}; {script}", "fake")
        return Shell(image, boot_timeout=20, program=program, **{"answer_timeout": 20, **options})
    return make


def test_answers_come_without_their_end(fake):
    with fake() as shell:
        assert shell.run("echo ok") == []
        assert shell.run("echo one; echo two; echo ok") == ["one", "two"]
        assert shell.run(b"echo three; echo ok") == ["three"]
    assert shell.result.passed and shell.result.exit_status == 33


def test_an_error_has_name_text_and_lines(fake):
    with fake() as shell:
        with pytest.raises(ShellError) as caught:
            shell.run("echo fault: read 0x0; echo error: E_FAULT")
        assert (caught.value.name, caught.value.text) == ("E_FAULT", "")
        assert caught.value.lines == ["fault: read 0x0"]
        with pytest.raises(ShellError, match="E_USAGE the words") as caught:
            shell.run("echo error: E_USAGE the words")
        assert caught.value.text == "the words"


def test_pieces_are_put_together_and_others_are_not_heard(fake):
    with fake() as shell:
        lines = shell.run(r"echo 'aa\'; echo vmm: task 7 killed; echo 'bb\'; echo cc; echo ok")
        assert lines == ["aabbcc"]
        assert shell.run("echo 'vmm space'; echo ok") == ["vmm space"]


def test_what_is_said_in_a_conversation_is_no_test_result(fake):
    with fake() as shell:
        assert shell.run("echo not ok 1 - x; echo 1..7; echo ok") == ["not ok 1 - x", "1..7"]
    assert [test.text for test in shell.result.report.tests] == ["shell: ends"]


def test_a_panic_is_one(fake):
    with pytest.raises(BootFailed, match="panic"):
        with fake() as shell:
            shell.run("echo PANIC: it broke; echo ok")


def test_lines_without_an_answer_do_not_wait(fake):
    with fake() as shell:
        for line in ("", "   ", "# echo ok", b"\t#\xff", b"\r"):
            assert shell.run(line) == []
        assert shell.run("echo ok") == []


def test_a_line_is_one_command(fake):
    with fake() as shell:
        with pytest.raises(ValueError):
            shell.run("echo ok\necho ok")


def test_leaving_judges_the_end(fake):
    with pytest.raises(BootFailed, match="not ok 1"):
        with fake("read line; echo shell: end; echo not ok 1 - audit; exit 35"):
            pass


def test_an_exception_in_the_block_is_the_one_that_comes_out(fake):
    with pytest.raises(KeyError):
        with fake("exec sleep 60") as shell:
            raise KeyError
    assert shell.machine.seconds < 20


@pytest.mark.parametrize("script, error", [
    ("read line; exit 1", MachineEnded),
    ("read line; echo shell: end; exec sleep 60", MachineEnded),
    ("read line; echo half; exec sleep 60", BootTimeout)])
def test_an_answer_that_never_ends(fake, script, error):
    with pytest.raises(error):
        with fake(script, answer_timeout=1) as shell:
            shell.run("list")


def test_a_shell_that_is_never_ready(fake):
    with pytest.raises(MachineEnded):
        with fake("exit 33", begin="echo KTAP version 1"):
            pass
    with pytest.raises(FileNotFoundError):
        with Shell("/nowhere/image.iso"):
            pass


@pytest.mark.parametrize("line, expected", [
    ("ok", True), ("error: E_WX", True), ("error: E_USAGE with a text", True), ("ok ", False),
    ("error:", False), ("okay", False), ("fault: read 0x0", False)])
def test_ends_of_answers(line, expected):
    assert is_end(line) is expected


@pytest.mark.parametrize("line, expected", [
    (b"list\n", True), (b"", False), (b" \t\r\n", False), (b" # x", False), (b"\x00", True),
    (b"a # b", True)])
def test_lines_that_want_an_answer(line, expected):
    assert wants_answer(line) is expected


def test_a_reader_that_goes_away_is_a_failure_without_a_traceback(fake, tmp_path):
    (tmp_path / "image.iso").touch()
    script = "from cadastre.prompt import front_end; from cadastre import Shell; import sys;" \
             f"sys.exit(front_end(Shell({str(tmp_path / 'image.iso')!r}," \
             f"program=('/bin/sh', '-c', {BEGIN + ';' + ECHO!r}, 'fake'))))"
    child = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env={**os.environ, "PYTHONPATH": str(TOP / "tools")})
    child.stdout.close()
    _, errors = child.communicate(b"echo ok\n" * 100, timeout=60)
    assert child.returncode == 1 and errors == b""

# SPDX-License-Identifier: MIT
"""The front end: from a pipe, from a terminal, and when the machine breaks."""
import os
import subprocess
import sys

import pexpect
import pytest

from cadastre import Shell
from shell_session import IMAGE, TIMEOUT, TOOLS, TOP, front_end, run_all

pytestmark = pytest.mark.xdist_group("shell_front_end")  # one worker: the tests share a machine


def test_a_pipe_gets_the_answers_and_nothing_else():
    status, lines, errors = front_end("# begin\ncreate a\n\nfoo\nquery a 0\nquit\nlist\n")
    assert lines == ["ok", 'error: E_USAGE no such command: "foo"', "0x0 unmapped", "ok"]
    assert (status, errors) == (0, "")


def test_the_end_of_the_input_means_quit():
    assert front_end("")[:2] == (0, [])
    assert front_end("create a\nlist") == (0, ["ok", "a space", "ok"], "")


def test_bytes_go_through_as_they_are():
    status, lines, _ = front_end(b"\xff\n" + b"x" * 20000 + b"\n\x00\nlist\r\n")
    assert [line.split()[:2] for line in lines] == [["error:", "E_USAGE"]] * 3 + [["ok"]]
    assert status == 0


def test_make_shell():
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["make", "-s", "shell"], input=b"create a\nmaps a\nlist\n", cwd=TOP,
                          capture_output=True, timeout=TIMEOUT * 2, env=environment)
    assert done.stdout == b"ok\nok\na space\nok\n"
    assert done.returncode == 0


@pytest.mark.parametrize("options", [["--memory", "16M", "--cpu", "qemu64"], ["--memory", "8G"],
                                     ["--firmware", "uefi", "--memory", "128M"]], ids=str)
def test_other_machines(options):
    commands = "create a\nmap a 0x400000 2 rw-\nwrite a 0x400fff c3c3\nread a 0x400fff 2\n" \
               "protect a 0x400000 2 r-x\nexec a 0x401000\n"
    assert front_end(commands, *options) == (0, ["ok", "ok", "ok", "c3c3", "ok", "ok", "ok"], "")


def test_a_machine_that_breaks_is_a_failure():
    status, lines, errors = front_end("create a\n", "--memory", "2M")
    assert status == 1 and lines == [] and errors.startswith("cadastre: ")


def test_a_session_that_ends_badly_is_told(tmp_path):
    """A shell that the machine loses: what the monitor does to it stands for any breakdown."""
    with pytest.raises(Exception) as caught:
        with Shell() as shell:
            shell.run("create a")
            shell.machine.monitor.human("quit")
            shell.run("list")
    assert "ended" in str(caught.value)


def test_an_answer_that_does_not_come_is_a_time_out():
    with pytest.raises(Exception) as caught:
        with Shell(answer_timeout=2) as shell:
            run_all(shell, """create a
                              map a 0x400000 1 rw-
                              write a 0x400000 ebfe
                              protect a 0x400000 1 r-x""")
            shell.run("exec a 0x400000")  # jumps to itself for ever
    assert "time-out" in str(caught.value)


def test_a_terminal_has_a_prompt_history_and_completion(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(TOOLS), "XDG_STATE_HOME": str(tmp_path),
                   "TERM": "dumb", "INPUTRC": "/dev/null"}
    child = pexpect.spawn(sys.executable, ["-m", "cadastre", "shell", "--iso", str(IMAGE)],
                          env=environment, timeout=TIMEOUT, encoding="utf-8", dimensions=(24, 200))
    child.expect("cadastre> ")
    child.send("cre\tfield\n")
    child.expect("create field\r\n.*cadastre> ")
    child.send("map fi\t0x400000 1 rwx\n")
    child.expect("error: E_WX: writable and executable")
    child.send("maps field\n")
    child.expect("cadastre> $")
    child.send("\x1b[A\x1b[A\n")  # two up in the history
    child.expect("error: E_WX")
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "create field" in (tmp_path / "cadastre_history").read_text()

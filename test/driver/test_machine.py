# SPDX-License-Identifier: MIT
"""The machine under time-outs, early ends and signals, with a shell script in QEMU's place."""
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cadastre import BootFailed, BootTimeout, Config, Machine, MachineEnded, boot

GOOD = "KTAP version 1\\r\\n1..1\\r\\nok 1 - a: b\\r\\n"


def fake(script):
    """A machine whose QEMU is this shell script; it gets QEMU's arguments."""
    return Config("none.iso", program=("/bin/sh", "-c", script, "fake-qemu"))


def test_a_good_boot():
    seen = []
    result = boot(fake(f"printf '{GOOD}'; exit 33"), timeout=20, on_line=seen.append)
    assert result.check() is result
    assert result.lines == seen == ["KTAP version 1", "1..1", "ok 1 - a: b"]
    assert result.exit_status == 33 and result.seconds < 20


def test_lines_come_while_the_machine_runs():
    with Machine(fake("echo one; read answer; echo got $answer; exit 33"), timeout=20) as machine:
        assert machine.next_line() == "one"
        machine.send("two\n")
        assert machine.expect(r"got (\w+)")[1] == "two"
        assert machine.next_line() is None and machine.next_line() is None
        assert machine.exit_status() == 33


def test_a_hang_is_an_error_that_shows_what_was_said_last():
    with pytest.raises(BootTimeout) as caught:
        with Machine(fake("echo alive; printf 'half a li'; exec sleep 60"), timeout=1) as machine:
            machine.run()
    message = str(caught.value)
    assert "time-out: waited 1 s for the machine to end" in message
    assert "| alive" in message and "| half a li" in message and "none.iso on -m 64M" in message
    assert machine.seconds < 20
    assert machine._child.proc.returncode == -9


def test_a_silent_hang_says_that_nothing_came():
    with pytest.raises(BootTimeout, match=r"\(nothing\)"):
        boot(fake("exec sleep 60"), timeout=0.5)


def test_a_machine_that_never_stops_talking_runs_out_of_time_too():
    with pytest.raises(BootTimeout):
        boot(fake("while :; do echo again; sleep 0.01; done"), timeout=1)


def test_a_hang_names_the_line_that_was_waited_for():
    with pytest.raises(BootTimeout, match="a line matching '\\^ready'"):
        with Machine(fake("exec sleep 60"), timeout=0.5) as machine:
            machine.expect("^ready")


def test_an_early_end_names_the_line_that_was_waited_for():
    with pytest.raises(MachineEnded, match=r"(?s)status 7.*'\^ready'.*\| bye"):
        with Machine(fake("echo bye; exit 7"), timeout=20) as machine:
            machine.expect("^ready")


def test_after_a_panic_a_hang_is_not_waited_out():
    start = time.monotonic()
    with pytest.raises(BootTimeout, match="PANIC: at once"):
        boot(fake("echo PANIC: at once; exec sleep 60"), timeout=50)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize("ending, message", [
    ("exit 35", "failure"), ("exit 0", "triple fault"), ("kill -11 $$", "signal 11"),
    ("echo 'could not open image' >&2; exit 1", "could not open image"),
])
def test_a_wrong_ending_fails_the_check(ending, message):
    result = boot(fake(f"printf '{GOOD}'; {ending}"), timeout=20)
    assert not result.passed
    with pytest.raises(BootFailed, match=message):
        result.check()


def test_the_machine_is_killed_when_the_block_is_left():
    with pytest.raises(ZeroDivisionError):
        with Machine(fake("echo $$; trap '' TERM HUP INT; while :; do sleep 1; done"),
                     timeout=20) as machine:
            pid = int(machine.next_line())
            folder = machine._workdir
            assert folder.is_dir()
            raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not folder.exists()


def test_no_machine_outlives_a_python_that_is_killed():
    tools = Path(__file__).resolve().parents[2] / "tools"
    code = ("from cadastre import Config, Machine; "
            "m = Machine(Config('x', program=('/bin/sh', '-c', 'echo $$; exec sleep 60'))); "
            "m.__enter__(); print(m.next_line(), flush=True); input()")
    python = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(tools)})
    pid = int(python.stdout.readline())
    python.kill()
    python.communicate()
    for _ in range(200):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return
        if stat.rpartition(")")[2].split()[0] in "ZX":
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} still runs")


def test_bytes_that_are_no_text_do_no_harm():
    result = boot(fake(f"printf '\\377\\376\\033[2Jx\\n{GOOD}'; exit 33"), timeout=20)
    assert result.passed and result.lines[0] == "\\xff\\xfex"

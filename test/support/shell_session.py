# SPDX-License-Identifier: MIT
"""What the tests of the shell have in common: a machine for those of a file, which leave nothing behind."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cadastre import Shell, ShellError

TOP = Path(__file__).resolve().parents[2]
TOOLS = TOP / "tools"
IMAGE = TOP / "build/scenarios/shell/image.iso"
TIMEOUT = 90  # seconds for a front end, its boot included


@pytest.fixture(scope="module")
def machine():
    with Shell() as shell:
        yield shell


@pytest.fixture
def shell(machine):
    """A shell without names, on which the test leaves nothing behind."""
    free = free_frames(machine)
    yield machine
    for line in machine.run("list"):
        machine.run(f"drop {line.split()[0]}")
    assert machine.run("audit")[0].endswith(" 0 errors")
    assert free_frames(machine) == free


def numbers(shell, name=""):
    """What `stats` says, as a dict."""
    words = shell.run(f"stats {name}")[0].split()
    return {key: int(value) for key, value in zip(words[::2], words[1::2])}


def free_frames(shell):
    return numbers(shell)["free"]


def refused(shell, command):
    """The error that the command is answered with."""
    with pytest.raises(ShellError) as caught:
        shell.run(command)
    return caught.value


def run_all(shell, commands):
    for command in commands.strip().splitlines():
        shell.run(command.strip())


def front_end(text, *options):
    """What the front end makes of standard input: (status, lines, standard error)."""
    data = text if isinstance(text, bytes) else text.encode()
    done = subprocess.run([sys.executable, "-m", "cadastre", "shell", "--iso", IMAGE, *options],
                          input=data, capture_output=True, timeout=TIMEOUT,
                          env={**os.environ, "PYTHONPATH": str(TOOLS)})
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()

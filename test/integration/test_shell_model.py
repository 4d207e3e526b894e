# SPDX-License-Identifier: MIT
"""Random programs for the shell, command by command against the plain model of cadastre.model.

    CADASTRE_MODEL_EXAMPLES=5000 make test     # more of them, and other ones each time

What fails is shrunk to a short script. One machine serves many programs; each leaves nothing
behind: the audit is clean and every frame is free again.
"""
import os

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from cadastre import BootError, Shell, ShellError
from cadastre.model import PAGE, Model, ModelError, matches

pytestmark = pytest.mark.xdist_group("shell_model")  # one worker, one machine

EXAMPLES = os.environ.get("CADASTRE_MODEL_EXAMPLES")
USER_END = {"max": 0x00FFFFFFFFFFF000, "qemu64": 0x00007FFFFFFFF000}
CPU = "max"

# Some pages are neighbours, and tables of every level end between some of them.
FEW_PAGES = list(range(0x400, 0x406))
PAGES = [0, *FEW_PAGES, *range(0x5FE, 0x602), *range(0x3FFFE, 0x40002),
         *range(0x7FFFFFE, 0x8000001)]
OUTSIDE = [USER_END[CPU] - PAGE, USER_END[CPU], 1 << 63, (1 << 64) - PAGE, 0x400800]

few = st.sampled_from(FEW_PAGES)
vas = st.one_of(few, few, st.sampled_from(PAGES)).map(lambda page: hex(page * PAGE))
vas = st.one_of(*[vas] * 12, st.sampled_from(OUTSIDE).map(hex))
counts = st.one_of(*[st.integers(1, 4)] * 9, st.sampled_from([0, 5, 600, 1 << 52, (1 << 64) - 1]))
any_names = st.sampled_from("aaaabbbbccddsx")
prots = st.sampled_from(["rw-", "rw-", "rw-", "r--", "r-x", "---", "rwx"])
offsets = st.sampled_from([0, 1, 0x7FF, PAGE - 2, PAGE - 1])
addresses = st.builds(lambda va, offset: hex(int(va, 0) + offset & (1 << 64) - 1), vas, offsets)
data = st.one_of(st.binary(min_size=1, max_size=5), st.just(b"\xc3"),
                 st.binary(min_size=30, max_size=60))


def command(word, *arguments):
    return st.tuples(*arguments).map(lambda words: " ".join([word, *map(str, words)]))


COMMANDS = {
    1: [command("create", any_names), command("drop", any_names), command("list"),
        command("rollback", any_names, any_names),
        command("exec", any_names, addresses)],
    2: [command("clone", any_names, any_names, st.sampled_from(["cow", "cow", "copy"])),
        command("snapshot", any_names, st.sampled_from("ssdx")), command("stats", any_names),
        command("diff", any_names, any_names), command("query", any_names, addresses)],
    3: [command("maps", any_names), command("protect", any_names, vas, counts, prots),
        command("unmap", any_names, vas, counts), command("revoke", any_names),
        command("derive", any_names, vas, counts, prots, any_names),
        command("move", any_names, vas, counts, any_names, vas, prots)],
    4: [command("read", any_names, addresses, st.integers(1, 70)),
        command("share", any_names, vas, counts, any_names, vas, prots)],
    6: [command("map", any_names, vas, counts, prots, st.sampled_from(["lazy", "now"])),
        command("write", any_names, addresses, data.map(bytes.hex))],
}
commands = st.one_of(*(one for weight, some in COMMANDS.items() for one in some * weight))

# Most programs begin with something to work on.
beginnings = st.sampled_from([
    [],
    ["create a"],
    ["create a", "create b", "map a 0x400000 4 rw- lazy", "write a 0x400ffe deadbeef"],
    ["create a", "map a 0x400000 4 rw- now", "clone a b cow", "create c", "snapshot a s"],
    ["create a", "map a 0x400000 6 rw- lazy", "derive a 0x401000 3 r-- d", "create b",
     "share d 0x401000 2 b 0x400000 r--"],
    ["create a", "map a 0x400000 6 rw-", "derive a 0x400000 6 rw- c", "derive c 0x401000 4 rw- d",
     "create b", "share d 0x402000 2 b 0x400000 rw-", "share b 0x400000 1 a 0x7ffffff000 r--"],
])
programs = st.builds(lambda begin, rest: begin + rest, beginnings, st.lists(commands, max_size=25))


class Pair:
    """A shell and the model of it, which do the same."""

    def __init__(self, shell):
        self.shell = shell
        self.model = Model(USER_END[CPU])
        self.addresses = {}  # where the shell said that a frame is
        self.said = []

    def _model_do(self, line):
        try:
            return self.model.do(line), None
        except ModelError as error:
            return error.lines, error.name

    def _shell_do(self, line):
        try:
            return self.shell.run(line), None
        except ShellError as error:
            return error.lines, error.name

    def do(self, line):
        word, *arguments = line.split()
        if word == "exec" and self.model.runs_into_the_unknown(*arguments):
            return
        self.said.append(line)
        expected, answered = self._model_do(line), self._shell_do(line)
        assert answered[1] == expected[1], (line, answered, expected)
        assert len(answered[0]) == len(expected[0]), (line, answered, expected)
        for wanted, got in zip(expected[0], answered[0]):
            assert (match := matches(wanted, got)), (line, got, wanted)
            if word == "query" and match.groups():
                self.check_frame(arguments, match[1])

    def check_frame(self, arguments, address):
        """The same frame is always at the same address, others are not there."""
        frame = self.model.frame_at(arguments[0], int(arguments[1], 0))
        at = int(address, 0) & -PAGE
        for other, there in self.addresses.items():
            if other.users:
                assert (other is frame) == (there == at), (arguments, hex(at))
        self.addresses[frame] = at


@pytest.fixture(scope="module")
def shells():
    """Answers a shell; another one when the last is broken."""
    running = []

    def get():
        if not running:
            running.append(Shell(cpu=CPU).__enter__())
        return running[0]

    def forget():
        running.pop().machine.__exit__()

    get.forget = forget
    yield get
    if running:
        running[0].__exit__()


def free_frames(shell):
    words = shell.run("stats")[0].split()
    return int(words[words.index("free") + 1])


def clean_up(shell):
    for line in shell.run("list"):
        shell.run(f"drop {line.split()[0]}")


def run_program(shells, program):
    shell = shells()
    before = free_frames(shell)
    pair = Pair(shell)
    try:
        for line in program:
            pair.do(line)
    except BootError:
        shells.forget()
        raise
    except AssertionError:
        clean_up(shell)
        raise
    finally:
        note("\n".join(pair.said))
    clean_up(shell)
    assert shell.run("audit")[0].endswith(" 0 errors")
    assert free_frames(shell) == before


@settings(max_examples=int(EXAMPLES or 300), derandomize=EXAMPLES is None, deadline=None,
          database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs)
def test_random_programs_do_what_the_model_says(shells, program):
    run_program(shells, program)

# SPDX-License-Identifier: MIT
"""The shell's `explain`: its lines, and whether what it says of an access is what the MMU then does."""
import re

import pytest

from cadastre import Shell, ShellError

pytestmark = pytest.mark.xdist_group("explain")  # one worker: the machine is shared

SETUP = """
create a quota 2048
map a 0x400000 1 rw- now
map a 0x401000 1 r-- now
map a 0x402000 1 r-x now
map a 0x403000 1 --- now
map a 0x404000 4 rw- lazy
map a 0x600000 512 rw- now 2M
write a 0x600123 11
clone a b cow
derive a 0x400000 4 r-- w
derive w 0x400000 1 r-- v
share v 0x400000 1 b 0x800000 r--
create c
share b 0x800000 1 c 0x900000 r--
"""


@pytest.fixture(scope="module")
def shell():
    with Shell() as running:
        for line in SETUP.strip().splitlines():
            running.run(line)
        yield running
        assert running.run("audit")[0].endswith(" 0 errors")


def explain(shell, name, va, access):
    return shell.run(f"explain {name} {va:#x} {access}")


def tail(lines):
    """What stands behind the levels."""
    return [line for line in lines if not line.startswith("level ")]


def levels(lines):
    found = [re.fullmatch(r"level (\d): (table|page|lazy|nothing)( 0x[0-9a-f]+)?, (\S+) so far", line)
             for line in lines if line.startswith("level ")]
    assert all(found), lines
    return [(int(match[1]), match[2], match[4]) for match in found]


def test_a_page_that_is_there(shell):
    lines = explain(shell, "a", 0x401000, "r")
    walk = levels(lines)
    assert [level for level, _, _ in walk] == list(range(walk[0][0], 0, -1)) and walk[0][0] in (4, 5)
    assert all(kind == "table" for _, kind, _ in walk[:-1]) and walk[-1] == (1, "page", "r--")
    assert tail(lines)[1:] == ["r passes all levels: allowed", "paid by a"]


def test_what_is_not_there(shell):
    assert levels(explain(shell, "a", 0x80000000, "r"))[-1][1:] == ("nothing", "---")
    assert tail(explain(shell, "a", 0x405000, "w")) == [
        "it is rw- of at most rwx", "w stops at level 1: allowed after a fault"]
    assert levels(explain(shell, "a", 0x405000, "x"))[-1][1:] == ("lazy", "---")


def test_grants_and_payers(shell):
    end = 0xfffffffffff000 if levels(explain(shell, "a", 0x400000, "r"))[0][0] == 5 \
        else 0x7ffffffff000
    assert tail(explain(shell, "b", 0x800000, "w")) == [
        "it is r-- of at most r--, shared", "w stops at level 1: refused",
        "shared through a 0x400000-0x401000 r--", "derived from a 0x400000-0x404000 r--",
        f"derived from a 0x0-{end:#x} rwx", "paid by a"]
    assert tail(explain(shell, "c", 0x900000, "r"))[2:4] == [
        f"shared through b 0x0-{end:#x} rwx", "which came through a 0x400000-0x401000 r--"]
    assert "cow" in tail(explain(shell, "b", 0x401000, "r"))[0]


@pytest.mark.parametrize("line", ["explain a 0x400000", "explain a 0x400000 rw", "explain a r r",
                                  "explain a 0x400000 r r"])
def test_words(shell, line):
    with pytest.raises(ShellError) as caught:
        shell.run(line)
    assert caught.value.name == "E_USAGE"


def test_addresses_and_windows(shell):
    for line, status in (("explain a 0xffff800000000000 r", "E_INVAL"),
                         ("explain w 0x404000 r", "E_RIGHT"), ("explain nobody 0 r", "E_NOENT")):
        with pytest.raises(ShellError) as caught:
            shell.run(line)
        assert caught.value.name == status


def is_done(shell, name, va, access):
    """Whether the access is, by a task with the real MMU."""
    command = {"r": f"read {name} {va:#x} 1", "w": f"write {name} {va:#x} c3",
               "x": f"exec {name} {va:#x}"}[access]
    try:
        shell.run(command)
    except ShellError:
        return False
    return True


# Each page: reads, writes, and only then what would run the bytes in it, where that is allowed none.
@pytest.mark.parametrize("name", ["b", "a", "c"])
@pytest.mark.parametrize("va", [0x400000, 0x401000, 0x403000, 0x405000, 0x601000, 0x800000,
                                0x900000, 0x80000000])
@pytest.mark.parametrize("access", ["r", "w", "x"])
def test_the_mmu_agrees(shell, name, va, access):
    said = [line for line in explain(shell, name, va, access) if line.startswith(f"{access} ")]
    assert len(said) == 1
    assert is_done(shell, name, va, access) == (not said[0].endswith("refused"))
    if not said[0].endswith("refused"):
        assert tail(explain(shell, name, va, access))[1] == f"{access} passes all levels: allowed"


# A task that dies of a fault.

DEATH = re.compile(r"vmm: task \d+ killed: page fault, (read|write|fetch) of (0x[0-9a-f]+), "
                   r"rip 0x[0-9a-f]+(?: \((E_\w+)\))?")
WALK = re.compile(r"vmm:   ((?: ?\d:[r-][w-][x-])+), at level (\d) (.+)")
PAYER = re.compile(r"vmm:   account \d+ pays for the frame(, through space \d+ 0x[0-9a-f]+\+\d+ [rwx-]{3}"
                   r"( < 0x[0-9a-f]+\+\d+ [rwx-]{3})*)*")


def deaths(result):
    """(access, reason, levels, what is there) of each that was told."""
    for i, line in enumerate(result.lines):
        if death := DEATH.fullmatch(line):
            walk = WALK.fullmatch(result.lines[i + 1])
            assert walk, result.lines[i:i + 3]
            levels = [word.split(":") for word in walk[1].split()]
            assert levels[-1][0] == walk[2]
            if walk[3].startswith("a page "):
                assert PAYER.fullmatch(result.lines[i + 2]), result.lines[i:i + 3]
            yield death[1], death[3], levels, walk[3]


@pytest.mark.parametrize("scenario, kinds", [
    ("lazy", {"a lazy range"}), ("device", {"a device"}),
    ("pager", {"nothing", "a page ", "a pager's range"}), ("revoke", {"nothing", "a pager's range"}),
    ("protect", {"a page "})])
def test_a_task_that_dies_of_a_fault_tells_why(boot, scenario, kinds):
    found = list(deaths(boot(scenario).check()))
    told = {kind for kind in kinds for death in found if death[3].startswith(kind)}
    assert told == kinds
    for access, reason, levels, kind in found:
        letter = {"read": "r", "write": "w", "fetch": "x"}[access]
        assert letter not in levels[-1][1]
        # Where nothing is, a pager of the task's own may have had a reason of its own.
        assert kind.startswith("nothing") or \
            kind.endswith(f"which is not {letter}") == (reason is None), (reason, kind)


def test_what_a_revoke_took_is_refused(shell):
    """Its table may stay, without entries."""
    for line in ("derive a 0x400000 4 r-- gone", "share gone 0x400000 1 c 0xa00000 r--"):
        shell.run(line)
    assert "r passes all levels: allowed" in explain(shell, "c", 0xA00000, "r")
    shell.run("revoke gone")
    assert explain(shell, "c", 0xA00000, "r")[-1].endswith(": refused")
    assert not is_done(shell, "c", 0xA00000, "r")
    shell.run("drop gone")

# SPDX-License-Identifier: MIT
"""P9: what the MMU of a running machine allows, against what ought to be: every kind of access to
pages of every size with every protection, in a space of their own, below tables that a clone has
too, as parts of larger pages, and shared.

The shell's probe makes the accesses, so the CPU judges them by all levels of the tables together,
and the VMM mends those that copy-on-write alone forbids.
"""
import pytest

from cadastre import Shell, ShellError

pytestmark = pytest.mark.xdist_group("accesses")  # one worker: machines are shared

PAGE = 4096
VA, OTHER = 0x4000000000, 0x8000000000  # aligned to every size, below other entries of the root
SIZES = {"4K": 1, "2M": 512, "1G": 512 * 512}  # in pages
PROTS = ("---", "r--", "rw-", "r-x")
RETURN = "c3"
MACHINES = {"4-level": {"cpu": "max,-la57"}, "5-level": {"cpu": "max"}}


@pytest.fixture(scope="module", params=MACHINES)
def machine(request):
    with Shell(memory="2560M", **MACHINES[request.param]) as shell:
        yield shell


@pytest.fixture
def shell(machine):
    yield machine
    for line in machine.run("list"):
        machine.run(f"drop {line.split()[0]}")


def access(shell, name, kind, va):
    """Whether it is allowed. What is refused must fault in this way, at this address."""
    command = {"read": f"read {name} {va:#x} 1", "write": f"write {name} {va:#x} {RETURN}",
               "exec": f"exec {name} {va:#x}"}[kind]
    try:
        answer = shell.run(command)
    except ShellError as error:
        assert (error.name, error.lines) == ("E_FAULT", [f"fault: {kind} {va:#x}"])
        return False
    assert answer == ([RETURN] if kind == "read" else [])
    return True


def check(shell, name, prot, *vas):
    """All accesses to each address, the write last: it may change whose page it is."""
    for va in vas:
        found = {kind: access(shell, name, kind, va) for kind in ("read", "exec", "write")}
        assert found == {"read": "r" in prot, "exec": "x" in prot, "write": "w" in prot}, hex(va)


def make(shell, name, size):
    """Pages of a size; answers their first and last address, where there is code that returns."""
    last = VA + SIZES[size] * PAGE - 1
    shell.run(f"create {name}")
    shell.run(f"map {name} {VA:#x} {SIZES[size]} rw- now {size}")
    for va in (VA, last):
        shell.run(f"write {name} {va:#x} {RETURN}")
    assert shell.run(f"query {name} {VA:#x}")[0].split()[3] == size
    return VA, last


@pytest.mark.parametrize("size", SIZES)
def test_of_its_own(request, shell, size):
    """M2: one leaf at its level, and no table below."""
    places = make(shell, "s", size)
    levels = 4 if "4-level" in request.node.callspec.id else 5
    tables = levels - list(SIZES).index(size)
    assert shell.run("stats s")[0].startswith(f"pages {SIZES[size]} tables {tables} ")
    for prot in PROTS:
        shell.run(f"protect s {VA:#x} {SIZES[size]} {prot}")
        check(shell, "s", prot, *places)


@pytest.mark.parametrize("size", SIZES)
def test_below_tables_that_a_clone_has_too(shell, size):
    """Accesses on either side, before and after a write has made a path its own."""
    places = make(shell, "s", size)
    for prot in PROTS:
        shell.run(f"protect s {VA:#x} {SIZES[size]} {prot}")
        for first, second in (("s", "c"), ("c", "s")):
            shell.run("clone s c cow")
            check(shell, first, prot, *places)
            check(shell, second, prot, *places)
            check(shell, first, prot, *places)
            shell.run("drop c")


@pytest.mark.parametrize("size", ["2M", "1G"])
@pytest.mark.parametrize("is_cloned", [False, True])
def test_parts_of_large_pages(shell, size, is_cloned):
    """U5, C9: a part with other rights than its neighbours, and than the same part of a clone."""
    first, last = make(shell, "s", size)
    parts = {first: "r--", last & -PAGE: "r-x", VA + SIZES[size] * PAGE // 2: "---"}
    for part in parts:
        shell.run(f"write s {part:#x} {RETURN}")
        shell.run(f"write s {part ^ PAGE:#x} {RETURN}")
    if is_cloned:
        shell.run("clone s c cow")
    for part, prot in parts.items():
        shell.run(f"protect s {part:#x} 1 {prot}")
    for part, prot in parts.items():
        check(shell, "s", prot, part)
        check(shell, "s", "rw-", part ^ PAGE)  # the neighbour
        if is_cloned:
            check(shell, "c", "rw-", part, part ^ PAGE)


@pytest.mark.parametrize("size, offset", [("4K", 0), ("2M", 0), ("2M", 1), ("1G", 0), ("1G", 512)])
def test_shared(shell, size, offset):
    """With other rights there than here; whole, and where only smaller pages fit."""
    first, last = make(shell, "s", size)
    there = OTHER + offset * PAGE
    for prot in ("r--", "rw-", "r-x"):
        shell.run("create o")
        shell.run(f"share s {VA:#x} {SIZES[size]} o {there:#x} {prot}")
        check(shell, "o", prot, there, there + last - first)
        check(shell, "s", "rw-", first, last)
        shell.run("drop o")


def test_nothing_there(shell):
    shell.run("create s")
    shell.run(f"map s {VA:#x} 2 rw- lazy")
    shell.run(f"write s {VA:#x} {RETURN}")
    shell.run(f"unmap s {VA:#x} 1")
    check(shell, "s", "---", VA, VA + 2 * PAGE, 0, OTHER, OTHER - 1)
    assert shell.run(f"read s {VA + PAGE:#x} 1") == ["00"]

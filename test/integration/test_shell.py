# SPDX-License-Identifier: MIT
"""The shell: its answers to the letter, what it makes of bad input, its limits, its front end."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from cadastre import Shell, ShellError

pytestmark = pytest.mark.xdist_group("shell")  # one worker: most tests share a machine

TOP = Path(__file__).resolve().parents[2]
TOOLS = TOP / "tools"
IMAGE = TOP / "build/scenarios/shell/image.iso"
TIMEOUT = 90  # seconds for a front end, its boot included

# The example of the design: a command, then the lines of its answer. What stands in <> is a number
# that the example does not fix.
EXAMPLE = """
create a quota 256                      ok
map a 0x400000 4 rw- lazy               ok
query a 0x400000                        0x400000 lazy rw-  |  ok
write a 0x400ffe deadbeef               ok
read a 0x400ffe 4                       deadbeef  |  ok
query a 0x401000                        0x401000 -> 0x<1f3c000> 4K rw-  |  ok
clone a b cow                           ok
maps a                                  0x400000-0x402000 rw- 4K mapped cow  |  0x402000-0x404000 rw- lazy  |  ok
write b 0x400ffe 00                     ok
diff a b                                0x400000-0x401000 changed  |  ok
read b 0x404000 1                       fault: read 0x404000  |  error: E_FAULT
query b 0x404000                        0x404000 unmapped  |  ok
map a 0x500000 1 rwx                    error: E_WX
map a 0x500000 1 -w-                    error: E_USAGE
derive a 0x400000 2 r-- w               ok
share w 0x400000 1 b 0x600000 r--       ok
maps b                                  0x400000-0x401000 rw- 4K mapped  |  0x401000-0x402000 rw- 4K mapped cow  |  0x402000-0x404000 rw- lazy  |  0x600000-0x601000 r-- 4K mapped shared  |  ok
share w 0x400000 1 b 0x700000 rw-       error: E_RIGHT
revoke w                                ok
read b 0x600000 1                       fault: read 0x600000  |  error: E_FAULT
stats a                                 pages 2 tables <4> charged <9> quota 256  |  ok
audit                                   audit: <32629> frames, 0 errors  |  ok
""".strip().splitlines()


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


# The example.

def parts(line):
    command, answer = re.split(r"\s{2,}", line, maxsplit=1)
    return command, answer.split("  |  ")


def test_the_example_is_answered_to_the_letter():
    commands, wanted = zip(*map(parts, EXAMPLE))
    status, lines, errors = front_end("\n".join([*commands, "quit", ""]))
    flat = [line for answer in wanted for line in answer]
    for line, pattern in zip(lines, flat):
        assert re.fullmatch(re.sub("<.*?>", "[0-9a-f]+", pattern), line)
    assert len(lines) == len(flat)
    assert (status, errors) == (0, "")


# Bad input.

@pytest.mark.parametrize("line", [
    "foo", "Create a", "create", "create a b", "create a quota", "create a quota x",
    "create a quota 1 2", "create a/b", "create " + "n" * 64, "map", "map a", "map a 0x400000 1", "map a 0x400000 x rw-",
    "map a 0x400000 -1 rw-", "map a 0x400000 0x rw-", "map a 400000h 1 rw-", "map a 0x400000 1 rw",
    "map a 0x400000 1 RW-", "map a 0x400000 1 --x", "map a 0x400000 1 rw- 4K lazy",
    "map a 0x400000 1 rw- eager", "map a 0x400000 1 rw- lazy lazy", "map a 0x400000 1 rw- lazy 3M",
    "map a 0x10000000000000000 1 rw-", "map a 99999999999999999999 1 rw-", "clone a b",
    "clone a b deep",
    "clone a b cow quota", "write a 0x400000", "write a 0x400000 0", "write a 0x400000 zz",
    "write a 0x400000 0x00", "write a 0x400000 " + "00" * 1025, "read a 0x400000",
    "read a 0x400000 0",
    "read a 0x400000 4097", "exec a", "query a", "query a here", "maps", "maps a b", "stats a b",
    "list all", "audit now", "quit now", "help me", "help help help", "drop", "derive a 0 1 rx b",
    "share a 0 1 a 0 rw- lazy", "1 2 3 4 5 6 7 8 9 10 11 12 13 14", "\"", "%s%n", "ok",
    "error: E_OK", "query x", "read x 0 0", "clone x y", "map x 0 1 r-- never", "write x 0 0",
])
def test_words_that_are_not_understood(shell, line):
    shell.run("create a")
    error = refused(shell, line)
    assert error.name == "E_USAGE" and error.lines == []
    assert shell.run("list") == ["a space"]


@pytest.mark.parametrize("line", [
    b"x" * 10000, b"list " + b" " * 10000 + b"x", b"read a 0 " + b"1" * 10000, b"x" * 4096,
    b"list \xff", b"\x00", b"list\x00", b"\x1b[A", b"cr\xc3\xa9ate a", b"\x80" * 10000, b"li\rst",
    bytes(byte for byte in range(256) if byte not in b"\t\n\r #"),
], ids=range(12))
def test_lines_that_cannot_be_read(shell, line):
    assert refused(shell, line).name == "E_USAGE"
    assert shell.run("list") == []


@pytest.mark.parametrize("line", [b"", b"  \t ", b"# create a", b"  # x", b"#\xff\x00", b"\r",
                                  b"#" + b"x" * 10000, b" " * 10000, b" " * 10000 + b"#"])
def test_lines_that_have_no_answer(shell, line):
    assert shell.run(line) == []
    assert shell.run("create a") == []
    assert shell.run("list") == ["a space"]


def test_lines_of_other_systems_and_blanks(shell):
    assert shell.run(b"create a\r") == []
    assert shell.run("  list\t") == ["a space"]


def test_the_error_names_what_was_wrong(shell):
    assert refused(shell, "foo").text == 'no such command: "foo"'
    assert refused(shell, "query a 12x").text == 'not a number: "12x"'
    assert refused(shell, "unmap a").text == "unmap NAME VA PAGES"
    assert refused(shell, "unmap a 0 1").text == ""


def test_help_knows_every_command(shell):
    lines = shell.run("help")
    assert "map NAME VA PAGES PROT [lazy|now] [4K|2M|1G]" in lines and "quit" in lines
    for line in lines:
        assert shell.run(f"help {line.split()[0]}")[0].startswith(line)


# Names.

def test_names_are_known_or_not(shell):
    for command in ("drop x", "query x 0", "clone x y cow", "share x 0 1 a 0 r--", "revoke x",
                    "share a 0 1 x 0 r--", "diff a x", "stats x", "read x/y 0 1"):
        shell.run("create a")
        assert refused(shell, command).name == "E_NOENT"
        shell.run("drop a")
    run_all(shell, "create a\nderive a 0 1 r-- w\nsnapshot a s")
    for command in ("create a", "create w", "create s", "clone a w cow", "derive a 0 1 r-- a"):
        assert refused(shell, command).name == "E_EXISTS"


def test_list_tells_what_names_are(shell):
    run_all(shell, """create a
                      clone a b copy
                      snapshot a s
                      derive a 0x400000 2 rw- w
                      derive w 0x401000 1 r-- v
                      revoke w""")
    assert shell.run("list") == [
        "a space", "b space cloned from a", "s snapshot of a",
        "w grant of a 0x400000-0x402000 rw- revoked", "v grant of w 0x401000-0x402000 r-- revoked"]


def test_dropping_a_name_leaves_those_derived_from_it(shell):
    run_all(shell, """create a
                      map a 0x400000 4 rw-
                      write a 0x401000 11
                      derive a 0x400000 4 rw- v
                      derive v 0x401000 2 r-- w
                      drop v
                      drop a""")
    assert shell.run("read w 0x401000 1") == ["11"]
    assert shell.run("maps w") == ["0x401000-0x402000 rw- 4K mapped", "0x402000-0x403000 rw- lazy"]
    run_all(shell, "create a\ncreate v")
    assert shell.run("maps a") == []


def test_64_spaces_and_256_grants_at_once_and_no_more(shell):
    for i in range(64):
        shell.run(f"create space{i}")
    assert refused(shell, "create more").name == "E_LIMIT"
    assert refused(shell, "snapshot space0 more").name == "E_LIMIT"
    shell.run("map space63 0x400000 1 rw-")
    for i in range(256):
        shell.run(f"derive space63 0x400000 {1 + i % 7} rw- grant{i}")
    assert refused(shell, "derive space63 0x400000 1 rw- more").name == "E_LIMIT"
    assert len(shell.run("list")) == 320
    shell.run("write grant255 0x400000 aa")
    assert shell.run("read grant0 0x400000 1") == ["aa"]
    shell.run("drop grant17")
    shell.run("derive space63 0x400000 1 rw- more")
    shell.run("drop space5")
    shell.run("create space5")


# Accesses.

def test_long_reads_and_writes(shell):
    data = bytes(i * 7 % 256 for i in range(1024))
    run_all(shell, "create a\nmap a 0x400000 2 rw-")
    for i in range(4):
        shell.run(f"write a {0x400123 + 1024 * i:#x} {data.hex()}")
    assert shell.run("read a 0x400123 4096") == [(data * 4).hex()]
    for n in (1, 23, 24, 25, 63, 64, 65, 99, 100, 101, 128):
        assert shell.run(f"read a 0x400123 {n}") == [data[:n].hex()]


def test_bytes_before_a_fault_are_written(shell):
    run_all(shell, "create a\nmap a 0x400000 1 rw-")
    error = refused(shell, "write a 0x400ff0 " + "11" * 32)
    assert (error.name, error.lines) == ("E_FAULT", ["fault: write 0x401000"])
    assert shell.run("read a 0x400ff0 16") == ["11" * 16]
    error = refused(shell, "read a 0x400ff0 17")
    assert (error.name, error.lines) == ("E_FAULT", ["fault: read 0x401000"])


def test_what_the_mmu_refuses(shell):
    run_all(shell, """create a
                      map a 0x400000 1 rw- now
                      write a 0x400000 c3
                      protect a 0x400000 1 r--""")
    assert refused(shell, "write a 0x400000 00").lines == ["fault: write 0x400000"]
    assert refused(shell, "exec a 0x400000").lines == ["fault: exec 0x400000"]
    shell.run("protect a 0x400000 1 r-x")
    assert shell.run("exec a 0x400000") == []
    assert refused(shell, "write a 0x400000 00").lines == ["fault: write 0x400000"]
    shell.run("protect a 0x400000 1 ---")
    assert refused(shell, "read a 0x400000 1").lines == ["fault: read 0x400000"]
    assert shell.run("query a 0x400000")[0].endswith(" 4K ---")
    shell.run("protect a 0x400000 1 rw-")
    assert shell.run("read a 0x400000 1") == ["c3"]


@pytest.mark.parametrize("code, fault", [
    ("0f0b", "exec 0x400000"),  # ud2
    ("90f4", "exec 0x400001"),  # hlt
    ("50c3", "write 0x"),  # push %rax: there is no stack
    ("a10000000000000000c3", "read 0x0"),
    ("c20000", None), ("0f1f00c3", None),  # ret, a nop before it
    ("31ff48b800000000000000060f05", None),  # exit(0): the header names the call in its top byte
])
def test_code_that_is_called(shell, code, fault):
    run_all(shell, f"""create a
                       map a 0x400000 1 rw- now
                       write a 0x400000 {code}
                       protect a 0x400000 1 r-x""")
    if fault is None:
        assert shell.run("exec a 0x400000") == []
    else:
        error = refused(shell, "exec a 0x400000")
        assert error.name == "E_FAULT" and error.lines[0].startswith(f"fault: {fault}")
    assert shell.run("read a 0x400000 1") == [code[:2]]


def test_probes_do_not_show(shell):
    run_all(shell, "create a quota 64\nmap a 0x400000 1 r-- now\nsnapshot a s")
    before = numbers(shell, "a"), free_frames(shell), shell.run("maps a")
    shell.run("read a 0x400000 100")
    refused(shell, "write a 0x400000 00")
    refused(shell, "exec a 0x400000")
    assert (numbers(shell, "a"), free_frames(shell), shell.run("maps a")) == before
    assert shell.run("diff a s") == []


def test_accesses_through_derived_names_stay_in_their_window(shell):
    run_all(shell, """create a
                      map a 0x400000 4 rw- now
                      derive a 0x401000 2 r-- w
                      derive a 0x401000 2 rw- v""")
    assert shell.run("read w 0x401ffe 4") == ["00000000"]
    shell.run("write v 0x401000 55")
    assert shell.run("read w 0x401000 1") == ["55"]
    for command in ("write w 0x401000 00", "read w 0x400fff 1", "read w 0x402fff 2",
                    "exec w 0x401000",
                    "write v 0x400ffc 0011223344", "exec v 0x401000", "query w 0x400000",
                    "unmap w 0x400000 2", "map w 0x403000 1 r--", "protect w 0x401000 1 rw-",
                    "clone w c cow", "snapshot w s", "derive w 0x401000 1 rw- u"):
        assert refused(shell, command).name == "E_RIGHT"
    assert shell.run("maps w") == ["0x401000-0x403000 rw- 4K mapped"]


@pytest.mark.parametrize("command", [
    "read a 0x8000000000000000 1", "read a 0xffffffffffffffff 1", "read a 0xffffffffffffffff 2",
    "write a 0xffffffffffffff00 " + "00" * 300, "exec a 0xffffffff80000000",
    "exec a 0xffffff0000000000",
    "query a 0xfffe000000000000", "map a 0x400800 1 rw-", "map a 0x400000 0 rw-",
    "map a 0x400000 0x10000000000000 rw-", "unmap a 0xfffffffffffff000 2", "protect a 0x1 1 r--",
    "derive a 0x400000 0 r-- w", "share a 0x400000 1 a 0x500001 r--", "map a 0x200000 511 rw- 2M",
    "map a 0x201000 512 rw- now 2M", "map a 0x200000 0x40000 rw- 1G",
])
def test_addresses_that_cannot_be(shell, command):
    run_all(shell, "create a\nmap a 0x400000 1 rw- now")
    assert refused(shell, command).name == "E_INVAL"
    assert shell.run("maps a") == ["0x400000-0x401000 rw- 4K mapped"]


# Memory.

def test_sizes_of_pages(shell):
    run_all(shell, """create a
                      map a 0x200000 512 rw- now 2M
                      map a 0x400000 512 rw- now
                      map a 0x600000 512 rw- 2M
                      map a 0x40000000 0x40000 r-- lazy 1G
                      unmap a 0x201000 1""")
    shell.run("write a 0x612345 77")
    assert shell.run("maps a") == [
        "0x200000-0x201000 rw- 4K mapped", "0x202000-0x600000 rw- 4K mapped",
        "0x600000-0x800000 rw- 2M mapped", "0x40000000-0x80000000 r-- lazy"]
    start = int(shell.run("query a 0x600000")[0].split()[2], 0)
    assert shell.run("query a 0x612345") == [f"0x612345 -> {start + 0x12345:#x} 2M rw-"]


def test_maps_and_diff_reach_from_end_to_end(shell):
    pages = (0x0, 0x1000, 0x400000, 0x40000000, 0x8000000000, 0x7FFFFFFFE000, 0xFFFFFFFFFFE000)
    run_all(shell, "create a\ncreate b")
    for va in pages:
        shell.run(f"map a {va:#x} 1 r-- now")
    assert refused(shell, "map a 0xfffffffffff000 1 r--").name == "E_INVAL"
    assert shell.run("maps a") == ["0x0-0x2000 r-- 4K mapped"] + [
        f"{va:#x}-{va + 0x1000:#x} r-- 4K mapped" for va in pages[2:]]
    assert shell.run("diff a b") == ["0x0-0x2000 changed"] + [
        f"{va:#x}-{va + 0x1000:#x} changed" for va in pages[2:]]


def test_unmap_and_protect_do_what_they_find(shell):
    run_all(shell, """create a
                      unmap a 0x400000 100
                      protect a 0x400000 100 r--
                      map a 0x402000 2 rw-
                      protect a 0x400000 100 r--""")
    assert shell.run("maps a") == ["0x402000-0x404000 r-- lazy"]
    shell.run("unmap a 0 0x100000")
    assert shell.run("maps a") == []


def test_share_is_coherent_and_move_is_not(shell):
    run_all(shell, """create a
                      create b
                      map a 0x400000 3 rw-
                      write a 0x400000 01
                      share a 0x400000 2 b 0x800000 rw-
                      write b 0x801000 02
                      write a 0x400000 03
                      move a 0x402000 1 b 0x900000 r--""")
    assert shell.run("read b 0x800000 1") == ["03"]
    assert shell.run("read a 0x401000 1") == ["02"]
    assert shell.run("maps a") == ["0x400000-0x402000 rw- 4K mapped shared"]
    assert shell.run("maps b") == ["0x800000-0x802000 rw- 4K mapped shared",
                                   "0x900000-0x901000 r-- 4K mapped"]
    assert refused(shell, "share a 0x400000 1 b 0x801000 r--").name == "E_EXISTS"
    assert refused(shell, "share a 0x400000 3 b 0x700000 r--").name == "E_FAULT"
    assert refused(shell, "map b 0x700000 0x200 r--").name == "E_EXISTS"


def test_a_read_only_share_is_one_for_good(shell):
    run_all(shell, """create a
                      create b
                      map a 0x400000 1 rw- now
                      share a 0x400000 1 b 0x400000 r--""")
    assert refused(shell, "protect b 0x400000 1 rw-").name == "E_RIGHT"
    shell.run("clone b c cow")
    assert refused(shell, "protect c 0x400000 1 rw-").name == "E_RIGHT"
    assert refused(shell, "share b 0x400000 1 a 0x500000 rw-").name == "E_RIGHT"


def test_snapshots_are_compared_and_put_back(shell):
    run_all(shell, """create a
                      map a 0x400000 8 rw- lazy
                      write a 0x400000 11
                      snapshot a s
                      write a 0x400000 22
                      write a 0x403000 33
                      write a 0x404000 44
                      map a 0x500000 1 r--
                      unmap a 0x407000 1""")
    assert shell.run("diff a s") == [
        "0x400000-0x401000 changed", "0x403000-0x405000 changed", "0x407000-0x408000 changed",
        "0x500000-0x501000 changed"]
    shell.run("rollback a s")
    assert shell.run("diff a s") == []
    assert shell.run("read a 0x400000 1") == ["11"]
    assert shell.run("read a 0x403000 1") == ["00"]
    for command in ("write s 0x400000 00", "read s 0x400000 1", "map s 0 1 r--", "rollback s a"):
        assert refused(shell, command).name == "E_RIGHT"
    shell.run("clone s t cow")
    shell.run("write t 0x400000 55")
    assert shell.run("read t 0x400000 1") == ["55"]


def test_revoke_takes_back_what_came_through(shell):
    run_all(shell, """create a
                      create b
                      create c
                      map a 0x400000 2 rw- now
                      derive a 0x400000 2 rw- w
                      derive w 0x401000 1 r-- v
                      share w 0x400000 1 b 0x600000 rw-
                      share v 0x401000 1 b 0x601000 r--
                      share b 0x600000 1 c 0x600000 rw-
                      share a 0x401000 1 c 0x700000 r--
                      clone b d cow
                      revoke w""")
    for name in ("b", "d"):
        assert shell.run(f"maps {name}") == []
    assert shell.run("maps c") == ["0x700000-0x701000 r-- 4K mapped shared"]
    assert shell.run("maps a") == ["0x400000-0x402000 rw- 4K mapped shared"]
    for command in ("read v 0x401000 1", "maps w", "share v 0x401000 1 b 0 r--",
                    "derive w 0x400000 1 r-- u",
                    "share a 0x400000 1 w 0x400000 r--", "revoke w"):
        assert refused(shell, command).name == "E_REVOKED"
    run_all(shell, "drop w\ndrop v\nshare a 0x400000 1 b 0x600000 r--")


def test_revoke_of_a_space_ends_it(shell):
    run_all(shell, """create a
                      create b
                      map a 0x400000 1 rw- now
                      derive a 0x400000 1 rw- w
                      share a 0x400000 1 b 0x400000 rw-
                      revoke a""")
    assert refused(shell, "read w 0x400000 1").name == "E_REVOKED"
    assert refused(shell, "stats a").name == "E_REVOKED"
    assert shell.run("maps b") == []
    assert refused(shell, "create a").name == "E_EXISTS"
    run_all(shell, "drop a\ncreate a")


# Quotas.

def test_quotas(shell):
    assert refused(shell, "create a quota 0").name == "E_QUOTA"
    assert refused(shell, "create a quota 1").name == "E_QUOTA"
    assert refused(shell, "create a quota 1000000000").name == "E_QUOTA"
    shell.run("create a quota 40")
    assert refused(shell, "map a 0x400000 40 rw- now").name == "E_QUOTA"
    shell.run("map a 0x400000 64 rw- lazy")
    error = None
    for page in range(64):
        try:
            shell.run(f"write a {0x400000 + page * 4096:#x} 01")
        except ShellError as caught:
            error = caught
            break
    assert error.name == "E_QUOTA" and error.lines == [f"fault: write {0x400000 + page * 4096:#x}"]
    used = numbers(shell, "a")
    assert used["charged"] == used["quota"] == 40 and used["pages"] == page
    assert shell.run("read a 0x400000 1") == ["01"]  # a probe needs no room
    shell.run("unmap a 0x400000 1")
    shell.run(f"write a {0x400000 + page * 4096:#x} 01")


def test_no_memory():
    with Shell(memory="24M") as shell:
        run_all(shell, "create a\nmap a 0x40000000 0x4000 rw- lazy 2M")
        assert refused(shell, "map a 0x200000 0x2000 rw- now").name == "E_NOMEM"
        used = 0
        with pytest.raises(ShellError) as caught:
            for used in range(64):
                shell.run(f"write a {0x40000000 + used * 0x200000:#x} 01")
        assert caught.value.name == "E_NOMEM" or used > 0
        assert shell.run("audit")[0].endswith(" 0 errors")


# The front end.

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

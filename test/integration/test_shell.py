# SPDX-License-Identifier: MIT
"""The shell: the design's example, to the letter, and what it makes of bad input."""
import re

import pytest

from shell_session import front_end, machine, refused, shell  # noqa: F401

pytestmark = pytest.mark.xdist_group("shell")  # one worker: the tests share a machine

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

# SPDX-License-Identifier: MIT
"""Reads, writes and calls by the shell's probe: the MMU answers."""
import pytest

from shell_session import free_frames, machine, numbers, refused, run_all, shell  # noqa: F401

pytestmark = pytest.mark.xdist_group("shell_accesses")  # one worker: the tests share a machine


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

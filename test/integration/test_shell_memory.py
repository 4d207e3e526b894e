# SPDX-License-Identifier: MIT
"""Memory in the shell's hands: sizes, sharing, snapshots, revoking, quotas."""
import pytest

from cadastre import Shell, ShellError
from shell_session import machine, numbers, refused, run_all, shell  # noqa: F401

pytestmark = pytest.mark.xdist_group("shell_memory")  # one worker: the tests share a machine


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

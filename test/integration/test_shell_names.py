# SPDX-License-Identifier: MIT
"""Names in the shell: what they stand for, how many there may be."""
import pytest

from shell_session import machine, refused, run_all, shell  # noqa: F401

pytestmark = pytest.mark.xdist_group("shell_names")  # one worker: the tests share a machine


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

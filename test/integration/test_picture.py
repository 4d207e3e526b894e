# SPDX-License-Identifier: MIT
"""The dump of a machine, against what its shell says; the audit of a dump; the picture of it."""
import random
import struct
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from cadastre import Shell, ShellError
from cadastre.dump import Dump
from cadastre.dump_check import problems
from cadastre.dump_lineage import shared_through
from cadastre.gdb_remote import GdbRemote
from cadastre.memory import PAGE, PTE
from cadastre.picture import draw, page, shown_spaces
from cadastre.picture_nodes import CELLS_MAX, Graph
from cadastre.picture_place import GAP, place

pytestmark = pytest.mark.xdist_group("picture")  # one worker, one machine

TOP = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
FAMILY = ["create a quota 1024", "map a 0x400000 4 rw- lazy", "map a 0x800000 512 rw- now 2M",
          "write a 0x400000 cada", "clone a b cow", "derive a 0x400000 2 r-- d",
          "derive d 0x401000 1 r-- e"]


@pytest.fixture(scope="module")
def machine():
    with Shell(cpu="max,-la57") as shell:
        yield shell


@pytest.fixture
def shell(machine):
    yield machine
    for line in machine.run("list"):
        machine.run(f"drop {line.split()[0]}")


def do(shell, commands):
    for command in commands:
        shell.run(command)
    return shell.dump()


def numbers(line):
    """"pages 2 tables 4" as a dict."""
    words = line.split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2])}


def tables_of(space):
    found, todo = set(), [space.root]
    while todo:
        table = todo.pop()
        found.add(table)
        todo += [entry.table for entry in table.entries.values() if entry.table]
    return found


def check_against_shell(shell, dump):
    """Whatever the shell can say of the machine, the dump says too."""
    lines = {line.split()[0]: line.split()[1:] for line in shell.run("list")}
    assert set(lines) == set(dump.names)
    for name, words in lines.items():
        grant = dump.names[name]
        assert (grant is None) == (words[-1] == "revoked")
        if grant is None:
            continue
        if words[0] == "grant":
            start, end = (int(text, 16) for text in words[3].split("-"))
            assert (grant.first * PAGE, grant.pages * PAGE) == (start, end - start)
            continue
        space, said = grant.space, numbers(shell.run(f"stats {name}")[0])
        assert space.is_snapshot == (words[0] == "snapshot")
        assert [run.line() for run in dump.runs(space)] == shell.run(f"maps {name}")
        assert said == {"pages": sum(run.pages for run in dump.runs(space) if run.size),
                        "tables": len(tables_of(space)), "charged": space.account.charged,
                        "quota": space.account.quota}
    whole = numbers(shell.run("stats")[0])
    assert whole["free"] == dump.state.n_free
    for kind, is_snapshot in (("space", False), ("snapshot", True)):
        listed = sum(words[0] == kind and words[-1] != "revoked" for words in lines.values())
        assert listed == sum(grant.space.is_snapshot == is_snapshot
                             for grant in dump.names.values() if grant and not grant.parent)
    assert list(problems(dump)) == []


def test_a_family_is_exactly_what_it_should_be(shell):
    before = shell.dump()
    dump = do(shell, FAMILY)
    check_against_shell(shell, dump)
    a, b = dump.space("a"), dump.space("b")
    assert len(dump.spaces) == len(before.spaces) + 2
    assert set(dump.names) == {"a", "b", "d", "e"}

    # A clone has a root of its own, and all below it in common.
    assert [len(tables_of(space)) for space in (a, b)] == [4, 4]
    (root,), (other,) = ([e for e in space.root.entries.values()] for space in (a, b))
    assert root.table is other.table and not root.writable and not other.writable
    assert {parent for parent, _ in root.table.parents} == {a.root, b.root}
    leaves = [(leaf.page * PAGE, leaf.level, leaf.entry.kind) for leaf in dump.leaves(a)]
    assert leaves == [(0x400000, 1, "page"), *((0x400000 + i * PAGE, 1, "lazy") for i in (1, 2, 3)),
                      (0x800000, 2, "page")]

    # Who pays: the 512 and 1 pages, 4 tables, b's root, and their records and portals.
    account = a.account
    assert (account.name, account.quota, account.parent.name) == ("a", 1024, "machine")
    assert b.account is account and not b.has_own_account
    assert account.parent.lent == 1024 + sum(before_account.lent for before_account
                                             in before.accounts.values())

    d, e = dump.grant("d"), dump.grant("e")
    assert e.parent is d and d.children == [e] and d.parent is dump.grant("a")
    assert (e.first, e.pages, e.space) == (0x401, 1, a)
    assert e.rights & 7 == 1 and not e.children


def test_a_write_in_the_clone_copies_one_path(shell):
    do(shell, FAMILY)
    dump = do(shell, ["write b 0x400000 00"])
    check_against_shell(shell, dump)
    a, b = tables_of(dump.space("a")), tables_of(dump.space("b"))
    assert not a & b and len(b) == 4
    large = [leaf.entry.pfn for name in "ab" for leaf in dump.leaves(dump.space(name))
             if leaf.level == 2]
    assert large[0] == large[1] and len(dump.users[large[0], 2]) == 2


def test_snapshots_shares_and_parts_of_large_pages(shell):
    dump = do(shell, [*FAMILY, "snapshot a s", "write b 0x805000 11", "create p quota 64",
                      "share a 0x400000 2 p 0x10000000 r--", "protect a 0x401000 1 ---",
                      "unmap a 0x402000 1"])
    check_against_shell(shell, dump)
    assert dump.space("s").is_snapshot
    shared = [leaf.entry for leaf in dump.leaves(dump.space("p"))]
    assert [(entry.shared, entry.writable, entry.prot, entry.max) for entry in shared] == \
        [(True, False, 1, 5)] * 2
    kept = next(leaf.entry for leaf in dump.leaves(dump.space("a")) if leaf.page == 0x401)
    assert (kept.kind, kept.prot, kept.pfn) == ("page", 0, shared[1].pfn)


LINEAGE = ["create a", "map a 0x400000 4 rw- now", "derive a 0x400000 4 rw- d",
           "derive d 0x402000 2 r-- e", "create p", "share e 0x402000 2 p 0x10000000 r--",
           "share d 0x400000 1 p 0x10002000 rw-", "derive p 0x10000000 1 r-- f", "create q",
           "share f 0x10000000 1 q 0x600000 r--", "clone q r cow"]


def ways(dump, name):
    """Of each page of a space, through which grants it came."""
    return {leaf.page * PAGE: leaf.entry.via and leaf.entry.via.text()
            for leaf in dump.leaves(dump.space(name))}


def test_through_which_grants_pages_came(shell):
    before = shell.dump()  # init has shared something too
    dump = do(shell, LINEAGE)
    check_against_shell(shell, dump)
    assert set(ways(dump, "a").values()) == {None}
    assert ways(dump, "p") == {0x10000000: "through e", 0x10001000: "through e",
                               0x10002000: "through d"}
    onward = {0x600000: "through f, which had come through e"}
    assert ways(dump, "q") == ways(dump, "r") == onward
    assert shared_through(dump, dump.grant("e")) == {dump.space("p"): 2}
    assert shared_through(dump, dump.grant("f")) == {dump.space("q"): 1, dump.space("r"): 1}
    texts = {text.text for text in Xml.fromstring(draw(dump)).iter(f"{SVG}text")}
    assert {"2 pages in p", "1 page in q, 1 page in r"} <= texts
    dump = do(shell, ["revoke e"])
    check_against_shell(shell, dump)
    assert dump.names["e"] is None and dump.names["f"] is not None
    assert ways(dump, "p") == {0x10002000: "through d"}
    assert ways(dump, "q") == ways(dump, "r") == {}
    dump = do(shell, ["revoke d"])
    assert ways(dump, "p") == {} and dump.vias.keys() == before.vias.keys()


@pytest.mark.parametrize("seed", range(4))
def test_after_random_commands_shell_and_dump_agree(shell, seed):
    roll = random.Random(seed)
    names = [f"n{i}" for i in range(6)]

    def command():
        name, other = roll.choice(names), roll.choice(names)
        va, va2 = (0x200000 + roll.randrange(1024) * PAGE for _ in range(2))
        pages = roll.choice([1, 3, 40, 512])
        prot = roll.choice(["rw-", "r--", "r-x", "---"])
        return roll.choice([
            f"create {name}", f"create {name} quota 700", f"clone {name} {other} cow",
            f"clone {name} {other} copy", f"snapshot {name} {other}", f"drop {name}",
            f"map {name} {va:#x} {pages} {prot} lazy", f"map {name} {va:#x} {pages} {prot} now",
            f"map {name} {va & ~0x1fffff:#x} 512 rw- now 2M", f"unmap {name} {va:#x} {pages}",
            f"protect {name} {va:#x} {pages} {prot}", f"write {name} {va:#x} 77",
            f"share {name} {va:#x} {pages} {other} {va2:#x} {prot}",
            f"move {name} {va:#x} {pages} {other} {va2:#x} {prot}",
            f"derive {name} {va:#x} {pages} {prot} {other}", f"rollback {name} {other}",
            f"revoke {name}"])

    for _ in range(150):
        try:
            shell.run(command())
        except ShellError:
            pass  # as it may be
    check_against_shell(shell, shell.dump())


class Patched:
    """A dump's memory in which some bytes are others."""

    def __init__(self, memory, address, data):
        self._memory, self._at, self._data = memory, address, data

    def __getattr__(self, name):
        return getattr(self._memory, name)

    def read(self, address, n):
        data = bytearray(self._memory.read(address, n))
        for i, byte in enumerate(self._data, self._at - address):
            if 0 <= i < n:
                data[i] = byte
        return bytes(data)

    def entries(self, table):
        return memoryview(self.read(table * PAGE, PAGE)).cast("Q")


def damages(dump):
    """A place in the memory, what to write there, and what the audit then says."""
    a = dump.space("a")
    pfn = next(leaf.entry.pfn for leaf in dump.leaves(a) if leaf.entry.pfn)
    child = next(iter(a.root.entries.values())).table
    fields = {name: field.offset for name, field in dump.types.struct("frame").fields.items()}
    state = dump.types.struct("state").fields
    table, frame = dump.frame(child.pfn).address, dump.frame(pfn).address
    root_word = a.root.pfn * PAGE + 8 * next(iter(a.root.entries))
    old = struct.unpack("<Q", dump.memory.read(root_word, 8))[0]
    yield table + fields["refs"], struct.pack("<I", 3), "parents: the record says 3"
    yield table + fields["used"], struct.pack("<H", 7), "entries: the record says 7"
    yield table + fields["first"], struct.pack("<H", 400), "outside"
    yield frame + fields["refs"], struct.pack("<I", 9), "entries: the record says 9"
    yield frame + fields["kind"], bytes([dump.kinds["FRAME_OBJECT"]]), "of kind"
    yield frame + fields["account"], struct.pack("<I", a.account.parent.id), "frames: the record"
    yield root_word, struct.pack("<Q", old | 2), "W over a table with several parents"
    yield dump.state.address + state["n_free"].offset, struct.pack("<Q", 5), "free frames"
    space = dump.record("space", a.id)
    refs = dump.types.struct("space").fields["refs"].offset
    yield space.address + refs, struct.pack("<I", 77), "references: the record says 77"
    link = dump.record("link", next(dump.ids("link")))
    yield link.entries.address, struct.pack("<Q", 0), "links name it"
    yield link.entries.address + 8, struct.pack("<Q", 1), "which is no shared page"
    portal = dump.portal(dump.grant("e").number)
    pages = dump.types.struct("portal").fields["n_pages"].offset
    yield portal.address + pages, struct.pack("<Q", 50), "wider than what it was derived from"


def test_the_audit_of_a_dump_finds_what_is_wrong(shell):
    dump = do(shell, [*FAMILY[:4], "create p", "share a 0x400000 1 p 0 r--", *FAMILY[4:]])
    assert list(problems(dump)) == []
    for address, data, expected in damages(dump):
        said = list(problems(Dump(Patched(dump.memory, address, data), dump.types)))
        assert any(expected in line for line in said), (expected, said)


def test_in_the_middle_of_a_long_drop(tmp_path):
    """Tables that are still to be given up belong to nobody, and hold what is below them."""
    n_dead = 0
    with Shell(extra=("-gdb", f"unix:{tmp_path / 'gdb'},server=on,wait=off")) as shell:
        for command in ["create a", "map a 0x400000 4 rw- now", "clone a b cow", "write b 0x400000 11",
                        "create c", "share a 0x401000 1 c 0x700000 rw-", "map c 0x200000 2 rw- lazy",
                        *(f"map c {1 << 30 | i << 21:#x} {1 + i % 3} rw- now" for i in range(40)),
                        "map c 0x80000000 512 rw- now 2M"]:
            shell.run(command)
        dump = shell.dump()
        # Steps of a single unit: each request buries one table.
        fields = dump.types.struct("state").fields
        gdb = GdbRemote(tmp_path / "gdb", 30)
        gdb.write_physical(dump.state.address + fields["step_work"].offset, (1).to_bytes(4, "little"))
        gdb.detach()
        gdb.close()
        for command in ["unmap c 0 0x100000", "query a 0", "query a 0", "drop b", "query a 0",
                        "stats", "drop c", "drop a"]:
            shell.run(command)
            dump = shell.dump()
            assert list(problems(dump)) == []
            n_dead = max(n_dead, len(dump.dead_tables))
            Xml.fromstring(draw(dump, shown_spaces(dump)))
    assert n_dead > 10


def test_ranges_that_a_pager_serves(shell):
    """The shell sets no pagers, so an entry of a lazy range is made one here."""
    dump = do(shell, ["create a", "map a 0x400000 4 rw- lazy", "write a 0x400000 01"])
    leaf = next(leaf for leaf in dump.leaves(dump.space("a")) if leaf.page == 0x402)
    table = next(table for table in tables_of(dump.space("a")) if table.level == 1)
    word = (PTE["PTE_PAGED"] | 0x1234 << 12 | leaf.entry.prot << PTE["PTE_PROT_SHIFT"]
            | leaf.entry.max << PTE["PTE_MAX_SHIFT"])
    memory = Patched(dump.memory, table.pfn * PAGE + 8 * 2, struct.pack("<Q", word))
    paged = Dump(memory, dump.types)
    space = paged.spaces[dump.space("a").id]
    assert space.root is not dump.space("a").root
    assert [run.line() for run in paged.runs(space)] == [
        "0x400000-0x401000 rw- 4K mapped", "0x401000-0x402000 rw- lazy",
        "0x402000-0x403000 rw- paged", "0x403000-0x404000 rw- lazy"]
    assert list(problems(paged)) == [
        f"space {space.id:#x}, page 0x402: pager 0x1234 is none of its own"]
    texts = {text.text for text in Xml.fromstring(draw(paged, [space])).iter(f"{SVG}text")}
    assert "rw- paged" in texts


def titles(svg, kind):
    return [group.find(f"{SVG}title").text for group in svg.iter(f"{SVG}g")
            if kind in group.get("class", "").split()]


def test_the_picture_shows_each_thing_once(shell):
    dump = do(shell, [*FAMILY, "write b 0x900000 01"])
    svg = Xml.fromstring(draw(dump))
    a, b = dump.space("a"), dump.space("b")
    assert len(titles(svg, "space")) == 2
    drawn = titles(svg, "table")
    assert len(drawn) == len(tables_of(a) | tables_of(b))
    joint = [table for table in tables_of(a) & tables_of(b) if table.refs == 2]
    assert joint, "nothing is shared: the test is void"
    for table in joint:
        (text,) = [text for text in drawn if f"frame {table.pfn:#x}\n" in text]
        assert "2 parents" in text
    edges = [group for group in svg.iter(f"{SVG}path") if group.get("class") == "edge no-w"]
    assert len(edges) > 2
    texts = {text.text for text in svg.iter(f"{SVG}text")}
    assert {"a", "b", "d", "e", "level 1", "0x401000–0x402000, 1 page", "×2"} <= texts


def test_no_box_overlaps_another(shell):
    dump = do(shell, [*FAMILY, "snapshot a s", "write b 0x900000 01", "create c",
                      "share a 0x400000 1 c 0x123456000 r--", "clone c f cow"])
    graph = Graph(dump, shown_spaces(dump))
    places = place(graph)
    for row in range(graph.n_rows):
        there = sorted(places[box] for box in graph.boxes if box.row == row)
        for (x, width), (x2, _) in zip(there, there[1:]):
            assert x + width + GAP <= x2 + 0.01
    assert min(x for x, _ in places.values()) == 0


def test_much_that_is_alike_is_drawn_once(shell):
    dump = do(shell, ["create big", "map big 0x40000000 2048 rw- now 4K",
                      "map big 0x80000000 262144 rw- lazy"])
    graph = Graph(dump, [dump.space("big")])
    by_kind = {kind: [box for box in graph.boxes if box.kind == kind]
               for kind in ("table", "frames")}
    assert [box.n for box in by_kind["frames"]] == [2048]
    assert sorted(box.n for box in by_kind["table"]) == [1, 1, 1, 4]
    cells = [cell for box in by_kind["table"] for cell in box.cells if cell.kind == "lazy"]
    assert [cell.lines[2] for cell in cells] == ["262,144 pages"]


def test_a_table_of_many_kinds_is_cut(shell):
    dump = do(shell, ["create odd", "map odd 0x400000 64 rw- lazy",
                      *(f"write odd {0x400000 + i * PAGE:#x} 01" for i in range(0, 64, 2))])
    graph = Graph(dump, [dump.space("odd")])
    bottom = next(box for box in graph.boxes if box.kind == "table" and len(box.cells) > 1)
    assert len(bottom.cells) == CELLS_MAX + 1
    assert [cell.lines[1] for cell in bottom.cells if cell.kind == "hidden"] == ["52 more"]


def test_the_page_holds_the_picture(shell):
    dump = do(shell, FAMILY)
    text = page(dump)
    open_tags = []
    void = ("meta", "rect", "circle", "path", "stop")

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attributes):
            if tag not in void:
                open_tags.append(tag)

        def handle_startendtag(self, tag, attributes):
            pass

        def handle_endtag(self, tag):
            if tag not in void:
                assert open_tags.pop() == tag

    Parser().feed(text)
    assert open_tags == []
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # self-contained
    assert Xml.fromstring(text[text.index("<svg"):text.index("</svg>") + 6]).tag == f"{SVG}svg"


def test_from_the_command_line(tmp_path):
    commands = tmp_path / "commands"
    commands.write_text("create x\nmap x 0 1 rwx\nquit\ncreate y\n")
    run = [sys.executable, "-m", "cadastre", "picture", "--out", str(tmp_path / "it"), "--iso",
           str(TOP / "build/scenarios/shell/image.iso")]

    def picture(*arguments):
        return subprocess.run([*run, *arguments], env={"PYTHONPATH": str(TOP / "tools"),
                              "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=120)

    done = picture(str(commands))
    assert done.returncode == 1 and "map x 0 1 rwx: error: E_WX" in done.stderr
    svg = Xml.parse(tmp_path / "it.svg").getroot()
    assert [title.split()[1] for title in titles(svg, "space")] == ["x"]
    done = picture("--all", str(TOP / "tools/showcase.txt"))
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.splitlines() == [f"wrote {tmp_path / 'it.svg'}",
                                        f"wrote {tmp_path / 'it.html'}"]
    names = [title.split()[1] for title in titles(Xml.parse(tmp_path / "it.svg").getroot(),
                                                  "space")]
    assert {"init", "modules", "shell", "devices", "app", "before", "child", "peer"} <= set(names)

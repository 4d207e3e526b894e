# SPDX-License-Identifier: MIT
"""Layouts from DWARF, numbers from headers, addresses through page tables."""
import struct
import subprocess

import pytest

from cadastre.header import constants
from cadastre.layout import Types, View
from cadastre.memory import PAGE, PTE, Memory, Unmapped

SOURCE = """
#include <stdint.h>
typedef struct { uint32_t n; } wrapped;
enum colour { RED = 3, BLUE = 300 };
struct inner { int16_t less; uint8_t last; };
struct outer {
    uint64_t low : 4, middle : 15, high : 45;
    wrapped one;
    union {
        struct { uint32_t a, b; };
        uint32_t both[2];
    };
    const struct inner *pointer;
    struct inner list[3];
    char name[6];
    enum colour colour;
    _Bool is_set : 1, is_clear : 1;
    int8_t grid[2][3];
};
struct outer outer;
int main(void) { return outer.colour; }
"""


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layout")
    (folder / "source.c").write_text(SOURCE)
    subprocess.run(["clang", "-g", "source.c", "-o", "program"], cwd=folder, check=True)
    return Types(folder / "program")


def test_a_view_reads_as_c_would(types):
    memory = (struct.pack("<QI", 5 | 0x7abc << 4 | 0x123456789ab << 19, 77) +
              struct.pack("<II4xQ", 11, 22, 0xffff800000001000) +
              b"".join(struct.pack("<hB1x", -i, i) for i in (1, 2, 3)) +
              b"ab\0zzz" + b"\0\0" + struct.pack("<IB", 300, 1) + bytes([1, 2, 3, 4, 5, 0xff]))
    outer = View(types.struct("outer"), lambda at, n: memory[at - 100:at - 100 + n], 100)
    assert (outer.low, outer.middle, outer.high) == (5, 0x7abc, 0x123456789ab)
    assert outer.one.n == 77
    assert (outer.a, outer.b, list(outer.both)) == (11, 22, [11, 22])
    assert outer.pointer == 0xffff800000001000
    assert [(inner.less, inner.last) for inner in outer.list] == [(-1, 1), (-2, 2), (-3, 3)]
    assert outer.name.text() == "ab"
    assert outer.colour == types.enum("colour")["BLUE"] == 300
    assert (outer.is_set, outer.is_clear) == (1, 0)
    assert [list(row) for row in outer.grid] == [[1, 2, 3], [4, 5, -1]]
    with pytest.raises(AttributeError, match="struct outer has no field other"):
        outer.other
    with pytest.raises(IndexError):
        outer.list[3]


def test_what_is_not_there_is_an_error(types):
    with pytest.raises(KeyError, match="nowhere"):
        types.struct("nowhere")
    with pytest.raises(KeyError, match="nowhere"):
        types.symbol("nowhere")
    assert types.symbol("main") > 0
    va, code = types.code
    assert va <= types.symbol("main") < va + len(code)


def test_constants_of_headers():
    numbers = constants("arch/x86_64/include/arch/pte.h", "servers/vmm/core/pte.h",
                        "lib/ipc/types.h")
    assert numbers["PTE_NX"] == 1 << 63 and numbers["PTE_ENTRIES"] == 512
    assert numbers["PTE_HELD"] == numbers["PTE_U"] == 4  # one macro names another
    assert numbers["PAGE_SIZE"] == 4096
    assert "pte_is_empty" not in numbers and "PTE_NONE" not in numbers  # no number


def test_constants_pass_over_what_is_no_number(tmp_path):
    header = tmp_path / "some.h"
    header.write_text('#define TEXT "x"\n#define CALL(x) (x)\n#define TWO (1u << 1) // why\n'
                      "#define LOOSE TWO + UNKNOWN\n#define MASK (~0x0full & 0xffu)\n")
    assert constants(str(header)) == {
        "TWO": 2, "MASK": 0xf0}


def test_a_walk_of_tables(tmp_path):
    tables = [bytearray(PAGE) for _ in range(5)]

    def put(table, i, frame, flags):
        struct.pack_into("<Q", tables[table], 8 * i, frame * PAGE | flags)

    present = PTE["PTE_P"]
    put(0, 1, 1, present)
    put(1, 2, 2, present)
    put(2, 3, 3, present)
    put(2, 4, 512, present | PTE["PTE_PS"])
    put(3, 5, 4, present)
    tables[4][:7] = b"it is x"
    path = tmp_path / "memory"
    path.write_bytes(b"".join(tables))
    memory = Memory(path)
    va = ((1 << 9 | 2) << 9 | 3) << 21 | 5 << 12
    assert memory.virtual(0, 4)(va, 7) == b"it is x"
    large = ((1 << 9 | 2) << 9 | 4) << 21 | 0x12345
    assert memory.physical(0, 4, large) == 512 * PAGE + 0x12345
    for nowhere in (va + PAGE, 0):
        with pytest.raises(Unmapped):
            memory.physical(0, 4, nowhere)
    with pytest.raises(Unmapped):
        memory.read(5 * PAGE - 1, 2)
    assert memory.pages_with(b"it is") == [4]

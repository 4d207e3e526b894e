# SPDX-License-Identifier: MIT
"""What QEMU's monitor, an MMU that nobody here wrote, sees in the tables of a booted machine."""
import re
from pathlib import Path

import pytest

from cadastre import Config, Machine, elf

pytestmark = pytest.mark.xdist_group("protection")  # one worker: the boots are shared

TOP = Path(__file__).resolve().parents[2]
PAGE = 4096
UPPER_HALF = 1 << 63


def layout(name):
    """A constant of arch/layout.h."""
    text = (TOP / "arch/x86_64/include/arch/layout.h").read_text()
    return int(re.search(rf"#define {name}\s+(0x[0-9a-f]+)ull", text)[1], 16)



# Bits of control registers (SDM 3A, 2.5): where they stand, and the CPUs of this file without them.
CONTROL_BITS = {"cr0": {"WP": 16}, "efer": {"NXE": 11},
                "cr4": {"UMIP": 11, "LA57": 12, "SMEP": 20, "SMAP": 21}}
LACKING = {"max": set(), "max,-la57": {"LA57"}, "qemu64": {"UMIP", "LA57", "SMEP", "SMAP"}}


@pytest.fixture(scope="module", params=list(LACKING))
def halted(request):
    """The CPU, the leaves of the tables that are loaded, and the registers, when the default scenario
    is done."""
    config = Config(TOP / "build/scenarios/default/image.iso", cpu=request.param, debug_exit=False)
    with Machine(config, timeout=60) as machine:
        # Without the debug-exit device the machine stays, halted, after its last line.
        plan = int(machine.expect(r"^1\.\.(\d+)$")[1])
        for _ in range(plan):
            machine.expect(r"^ok ")
        machine.monitor.stop()
        return request.param, machine.monitor.pages(), machine.monitor.human("info registers")


@pytest.fixture
def pages(halted):
    return halted[1]


def test_the_cpu_protects_what_it_can(halted):
    cpu, _, registers = halted
    for register, bits in CONTROL_BITS.items():
        value = int(re.search(rf"{register}=([0-9a-f]+)", registers, re.I)[1], 16)
        for name, bit in bits.items():
            assert bool(value >> bit & 1) == (name not in LACKING[cpu]), (name, registers)


def test_nothing_is_writable_and_executable(pages):
    assert len(pages) > 50
    assert [page for page in pages if page.writable and not page.no_execute] == []


def test_the_kernel_is_mapped_as_linked(pages):
    base = layout("KERNEL_BASE")
    expected = {}
    for segment in elf.segments(TOP / "build/kernel.elf"):
        # The loader's own segment is both, and gone by now.
        if segment.va >= base and not (segment.write and segment.execute):
            for va in range(segment.va & -PAGE, segment.end, PAGE):
                expected[va] = (segment.write, segment.execute)
    found = {page.va: (page.writable, not page.no_execute) for page in pages
             if base <= page.va < layout("KERNEL_LAPIC")}
    assert {va: rights for va, rights in expected.items() if va in found} == found
    # Guard pages below stacks, in the data, are all that may be missing.
    assert all(write for va, (write, _) in expected.items() if va not in found)
    assert set(found.values()) == {(False, True), (False, False), (True, False)}


def test_the_kernel_half_is_the_supervisors_and_global(pages):
    kernel = [page for page in pages if page.va >= layout("OBJECT_WINDOW")]
    assert kernel
    assert [page for page in kernel if page.user or not page.is_global] == []


def test_user_pages_in_the_upper_half_are_ram_for_the_vmm_alone(pages):
    levels_5 = any(page.va < layout("PHYSMAP_4LEVEL") and page.va >= UPPER_HALF for page in pages)
    physmap = layout("PHYSMAP_5LEVEL" if levels_5 else "PHYSMAP_4LEVEL")
    upper = [page for page in pages if page.va >= UPPER_HALF and page.user]
    assert [page for page in upper if page.va - physmap != page.pa or not page.no_execute] == []

# SPDX-License-Identifier: MIT
"""QEMU's answers as the monitor reads them; and a real QEMU that never runs an instruction."""
from cadastre import Config, Machine
from cadastre.monitor import Page, Range, parse_mem, parse_tlb


def test_parse_tlb():
    text = ("0000000000400000: 0000000001f3c000 XG-DA--UW\r\n"
            "ffffffff80000000: 0000000000200000 --P-A----\r\nno line of a page\r\n")
    data, code = parse_tlb(text)
    assert data == Page(0x400000, 0x1f3c000, "XG-DA--UW")
    assert data.no_execute and data.writable and data.user and data.is_global
    assert code.va == 0xffffffff80000000
    assert not (code.no_execute or code.writable or code.user or code.is_global)
    assert code.is_large and not data.is_large


def test_parse_mem():
    text = ("0000000000400000-0000000000403000 0000000000003000 ur-\r\n"
            "ffffffff80000000-ffffffff80200000 0000000000200000 -rw\r\nnone of its lines\r\n")
    assert parse_mem(text) == [
        Range(0x400000, 0x403000, user=True, writable=False),
        Range(0xffffffff80000000, 0xffffffff80200000, user=False, writable=True)]


def test_a_halted_machine_answers(tmp_path):
    image = tmp_path / "empty.iso"
    image.write_bytes(bytes(2048))
    with Machine(Config(image, paused=True), timeout=30) as machine:
        assert "paused" in machine.monitor.human("info status")
        assert machine.monitor.pages() == []
        assert machine.monitor.ranges() == []
        assert machine.monitor.instruction() == (0xfff0, 0)
        machine.monitor.execute("quit")
        assert machine.run().exit_status == 0

# SPDX-License-Identifier: MIT
"""The QEMU command line: what every machine has, and what an option adds."""
import pytest

from cadastre.qemu import OVMF_CODE, Config, command_line


def pairs(config, folder):
    line = command_line(config, folder)
    return [" ".join(pair) for pair in zip(line, line[1:])]


def test_every_machine_is_quiet_and_ends_by_itself(tmp_path):
    line = pairs(Config("a.iso"), tmp_path)
    for part in ("-display none", "-nic none", "-accel tcg", "-m 64M", "-cpu max", "-smp 1",
                 "-device isa-debug-exit,iobase=0xf4,iosize=0x4", "-serial chardev:serial",
                 "-drive file=a.iso,format=raw,media=cdrom,readonly=on"):
        assert part in line
    assert "-no-reboot" in command_line(Config("a.iso"), tmp_path)
    assert "-S" not in command_line(Config("a.iso"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_options_reach_the_line(tmp_path):
    config = Config("a.iso", memory="8G", cpu="max,-smep", cpus=2, icount="shift=3", gdb_port=99,
                    paused=True, debug_exit=False, machine="q35", accel="kvm", extra=("-d", "int"))
    line = pairs(config, tmp_path)
    for part in ("-m 8G", "-cpu max,-smep", "-smp 2", "-icount shift=3", "-gdb tcp:localhost:99",
                 "-machine q35", "-accel kvm", "-d int"):
        assert part in line
    assert "-S" in command_line(config, tmp_path)
    assert not any("isa-debug-exit" in part for part in line)


def test_uefi_gets_variables_of_its_own(tmp_path):
    line = " ".join(command_line(Config("a.iso", firmware="uefi"), tmp_path))
    assert f"readonly=on,file={OVMF_CODE}" in line
    assert f"unit=1,file={tmp_path / 'vars.fd'}" in line
    assert (tmp_path / "vars.fd").stat().st_size > 0


def test_an_unknown_firmware_is_refused():
    with pytest.raises(ValueError, match="coreboot.*bios, uefi"):
        Config("a.iso", firmware="coreboot")

# SPDX-License-Identifier: MIT
"""Images and machines that cannot work: one clear line on serial and a failing exit, every time."""
import re
import subprocess
from pathlib import Path

import pytest

from cadastre import qemu

TOP = Path(__file__).resolve().parents[2]
BUILD = TOP / "build"


def modules_of(scenario):
    """What the image of a scenario holds: {module: file}."""
    folder = BUILD / "scenarios" / scenario
    tasks = {path.stem: path for path in sorted(folder.glob("*.elf"))}
    return {"vmm": BUILD / "vmm.elf", "init": BUILD / "init.elf",
            "manifest": TOP / "test" / "scenarios" / scenario / "manifest", **tasks}


@pytest.fixture
def image(tmp_path):
    """image(kernel=None, NAME=None | bytes | Path, ...): the default scenario's image, with modules
    left out or replaced."""
    def make(kernel=None, **changes):
        modules = modules_of("default")
        for name, content in changes.items():
            if isinstance(content, bytes):
                # No ".elf": tools/image.sh strips those, and strip mends or refuses what is broken.
                content = tmp_path / f"{name}.broken"
                content.write_bytes(changes[name])
            modules[name] = content
        iso = tmp_path / "image.iso"
        arguments = [f"{name}={path}" for name, path in modules.items() if path]
        subprocess.run([TOP / "tools" / "image.sh", iso, kernel or BUILD / "kernel.elf",
                        *arguments], check=True, timeout=60)
        return iso
    return make


def check_refused(result, pattern):
    """One line says why, and the machine ended itself with a failure."""
    lines = [line for line in result.lines if re.search(pattern, line)]
    assert len(lines) == 1, result.explain()
    assert result.exit_status == qemu.EXIT_FAILURE, result.explain()
    assert not result.passed


def flipped(path, offset, value):
    """The bytes of a file, with one of them changed."""
    data = bytearray(path.read_bytes())
    assert data[offset] != value
    data[offset] = value
    return bytes(data)


def first_task():
    return next(name for name in modules_of("default") if name not in ("vmm", "init", "manifest"))


def test_the_image_is_good_as_it_is(image, boot):
    boot(image()).check()


@pytest.mark.parametrize("module", ["vmm", "init"])
def test_a_missing_program_is_named(image, boot, module):
    check_refused(boot(image(**{module: None})), rf"^boot: error: .*\b{module}\b")


@pytest.mark.parametrize("module", ["vmm", "init"])
@pytest.mark.parametrize("damage", ["no magic", "cut", "empty", "far segment"])
def test_a_broken_program_is_named(image, boot, module, damage):
    path = BUILD / f"{module}.elf"
    broken = {"no magic": lambda: flipped(path, 0, 0x7e),
              "cut": lambda: path.read_bytes()[:100],
              "empty": lambda: b"\x00",
              # The first program header's p_vaddr, up into the non-canonical addresses.
              "far segment": lambda: flipped(path, 64 + 16 + 7, 0x55)}[damage]()
    check_refused(boot(image(**{module: broken})), rf"^boot: error: .*\b{module}\b")


def test_a_missing_manifest_is_named(image, boot):
    check_refused(boot(image(manifest=None)), r"^init: .*\bmanifest\b")


@pytest.mark.parametrize("line, text", [
    (2, b"task a\ntask b colour=red\n"),
    (2, b"# fine\ntask a tests=1 tests=1\n"),
    (3, b"task a\n\ntask a\n"),
    (2, b"task a\ngive b console as console\n"),
    (1, b"task a expect=joy\n"),
], ids=["unknown field", "field twice", "name twice", "no such task", "unknown choice"])
def test_a_wrong_line_is_named_by_its_number(image, boot, line, text):
    check_refused(boot(image(manifest=text)), rf"^init: manifest line {line}: ")


@pytest.mark.parametrize("manifest", [
    b"\xff\x00\x01garbage\xfe" * 50, b"task", b"launch missiles\n", b"\n" * 10, b"task a tests=x\n",
    b"x" * 100000,
], ids=["bytes", "cut", "unknown", "empty", "number", "long"])
def test_a_manifest_of_garbage_is_refused_with_its_line(image, boot, manifest):
    check_refused(boot(image(manifest=manifest)), r"^init: manifest line \d+: ")


def test_a_missing_task_is_named(image, boot):
    task = first_task()
    check_refused(boot(image(**{task: None})), rf"^(?!ok|KTAP|boot:).*\b{task}\b")


@pytest.mark.parametrize("damage", ["no magic", "cut", "empty", "far segment", "writable code"])
def test_a_broken_task_is_named(image, boot, damage):
    task = first_task()
    path = modules_of("default")[task]
    broken = {"no magic": lambda: flipped(path, 0, 0x7e),
              "cut": lambda: path.read_bytes()[:100],
              "empty": lambda: b"\x00",
              "far segment": lambda: flipped(path, 64 + 16 + 7, 0x55),
              # The first program header's p_flags: RX becomes RWX.
              "writable code": lambda: flipped(path, 64 + 4, 7)}[damage]()
    check_refused(boot(image(**{task: broken})), rf"^(?!ok|KTAP|boot:).*\b{task}\b")


def test_a_kernel_that_is_none_is_refused_by_grub(image, boot, tmp_path):
    # strip would refuse it too, so it gets a valid ELF that has no Multiboot2 header.
    check_refused(boot(image(kernel=BUILD / "init.elf")), r"boot: error: GRUB cannot load")


@pytest.mark.parametrize("memory", ["2M", "4M", "6M", "8M"])
def test_too_little_memory_is_said_or_is_enough(boot, memory):
    """GRUB needs some of it, then the kernel: whoever gives up says so, and nothing hangs."""
    result = boot("default", memory=memory)
    if not result.passed:
        check_refused(result, r"boot: error: |E_NOMEM|^PANIC: ")


def test_a_cpu_without_nx_is_refused(boot):
    check_refused(boot("default", cpu="max,-nx"), r"^boot: error: ")


def test_a_cpu_without_long_mode_is_refused(boot):
    check_refused(boot("default", cpu="max,-lm"), r"^boot: error: ")


def changed_manifest(old, new):
    """The default scenario's manifest, with one thing changed."""
    text = modules_of("default")["manifest"].read_text()
    assert re.search(old, text)
    return re.sub(old, new, text, count=1).encode()


@pytest.mark.parametrize("old, new, pattern", [
    (r"(task keeper +tests=)\d+", r"\g<1>99", "^not ok .*keeper: a planned result never came"),
    (r"(task keeper +tests=)\d+", r"\g<1>2", "^not ok .*keeper: ends as the manifest says"),
    (r"expect=fault", "", "^not ok .*faulter: ends as the manifest says"),
    ("(task stranger) ", r"\1 expect=fault ", "^not ok .*stranger: ends as the manifest says"),
    (r"give witness .*", "", "^not ok .*witness: waits for the end"),
], ids=["too few results", "too many results", "an unexpected fault", "no fault", "no capability"])
def test_a_scenario_that_breaks_its_promises_fails(image, boot, old, new, pattern):
    result = boot(image(manifest=changed_manifest(old, new)))
    assert any(re.search(pattern, line) for line in result.lines), result.explain()
    assert result.exit_status == qemu.EXIT_FAILURE, result.explain()
    assert not result.passed


def test_a_task_without_quota_for_its_program_is_named(image, boot):
    manifest = changed_manifest(r"quota=512", "quota=3")
    check_refused(boot(image(manifest=manifest)), r"^(?!ok|KTAP|boot:).*\bbuilder\b.*E_QUOTA")

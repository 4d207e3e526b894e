# SPDX-License-Identifier: MIT
"""`make check-layers`: who may include whom, and what the kernel must not contain.

    /usr/bin/python3 tools/layers.py CC [FLAG...]

Includes are judged on what the compiler really opens (`clang -M` with the kernel's flags), words on
the sources without comments and strings. Prints one line for each offence; exit status 1 if any.
"""
import re
import subprocess
import sys
from pathlib import Path

# The compiler's own headers that carry no code, and no library behind them.
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "__stddef_max_align_t.h"}

VMM_CORE_MAY = re.compile(
    r"servers/vmm/core/|lib/ipc/(types|status|vmm_protocol|boot_info)\.h$"
    r"|arch/x86_64/include/arch/(pte|layout)\.h$")
KERNEL_MAY = re.compile(r"kernel/|lib/ipc/|arch/x86_64/include/arch/|boot/handoff\.h$")
ARCH_MAY = re.compile(r"arch/|kernel/|lib/ipc/|boot/handoff\.h$")

# folder of sources, what they may include, for whom the rule is
LAYERS = (
    ("servers/vmm/core", VMM_CORE_MAY, "the VMM's core"),
    ("kernel", KERNEL_MAY, "the kernel"),
    ("arch/x86_64", ARCH_MAY, "arch"),
)

# what must not occur, in which folders, but for these files, why
FORBIDDEN = (
    (r'#\s*include\s*"arch/pte\.h"', ("kernel", "arch"), (),
     "the kernel never touches a page-table entry"),
    (r"\b\w*(?:malloc|calloc|realloc|kalloc|kmem|frame_alloc|page_alloc)\w*\s*\(",
     ("kernel", "arch"), (), "the kernel never allocates"),
    (r"\bphysical_memory_offset\b|\bPHYSMAP_\w+", ("kernel", "arch"),
     ("arch/x86_64/include/arch/layout.h",), "the kernel has no physical mapping"),
    (r"\b(?:stac|clac|copy_from_user|copy_to_user)\b", ("kernel", "arch"), (),
     "the kernel never follows a user pointer"),
    (r"\binvlpg\b|\binvpcid\b", ("kernel", "arch"), ("arch/x86_64/mmu.c",),
     "only mmu.c invalidates"),
    (r"%%?cr3\b", ("kernel", "arch"), ("arch/x86_64/mmu.c", "arch/x86_64/fastpath.S"),
     "only mmu.c and the fast path load CR3"),
    (r"#\s*(?:el)?if(?:n?def)?\b.*\bTEST\b", ("kernel", "arch", "boot", "servers", "lib"), (),
     "no code of the system knows that it is tested"),
)

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def sources(folder, *suffixes):
    return sorted(path for path in Path(folder).rglob("*") if path.suffix in suffixes)


def includes(compiler, source):
    """Every file that compiling `source` opens, but itself; headers that are not there too."""
    done = subprocess.run([*compiler, "-nostdlibinc", "-M", "-MG", str(source)],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"layers: {source}: {done.stderr}")
    words = done.stdout.replace("\\\n", " ").split()[1:]
    return [str(Path(word)) for word in words if Path(word) != source]


def bad_includes(compiler):
    for folder, may, name in LAYERS:
        for source in sources(folder, ".c"):
            for path in includes(compiler, source):
                outside = path.startswith("/")
                if not (Path(path).name in FREESTANDING if outside else may.match(path)):
                    yield f"{source}: includes {path}, which {name} may not"


def bad_words():
    for pattern, folders, but, why in FORBIDDEN:
        for path in (p for f in folders for p in sources(f, ".c", ".h", ".S")):
            text = _COMMENT.sub(lambda m: "\n" * m[0].count("\n"), path.read_text())
            for match in re.finditer(pattern, text):
                if str(path) not in but:
                    line = text.count("\n", 0, match.start()) + 1
                    yield f"{path}:{line}: '{match[0].strip()}': {why}"


def main():
    # The dependency files of the real build must stay as they are.
    compiler = [flag for flag in sys.argv[1:] if flag not in ("-MMD", "-MP")]
    offences = [*bad_includes(compiler), *bad_words()]
    print("\n".join(offences) if offences else "layers: nothing includes or does what it may not")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())

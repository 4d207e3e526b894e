#!/bin/sh
# SPDX-License-Identifier: MIT
# `make doctor`: looks at every tool that Cadastre needs and says what is missing or too old. It
# installs nothing and boots nothing. Exit status 1 if anything is wrong.
set -u

cd "$(dirname "$0")/.." || exit 1
python=/usr/bin/python3
bad=0

good() { printf '  ok       %-22s %s\n' "$1" "$2"; }
wrong() {
    printf '  WRONG    %-22s %s\n' "$1" "$2"
    bad=$((bad + 1))
}

# tool NAME MAJOR: NAME answers --version with at least MAJOR.
tool() {
    if ! path=$(command -v "$1"); then
        wrong "$1" "not found"
        return
    fi
    line=$("$1" --version 2>&1 </dev/null | grep -m 1 '[0-9]\.[0-9]')
    major=$(printf '%s' "$line" | grep -o '[0-9]\{1,\}\.[0-9]' | head -n 1 | cut -d. -f1)
    if [ "${major:-0}" -ge "$2" ]; then
        good "$1" "$path: $line"
    else
        wrong "$1" "version $2 or later is needed: $line"
    fi
}

there() {
    if [ -e "$2" ]; then good "$1" "$2"; else wrong "$1" "$2 is not there"; fi
}

module() {
    if version=$($python -c "import importlib.metadata as m, $1; print(m.version('$2'))" 2>&1); then
        good "python: $1" "$version"
    else
        wrong "python: $1" "$python cannot import it"
    fi
}

links() {
    if command -v clang >/dev/null && printf '%s\n' "$2" | clang -x c - -o /dev/null $3 2>/dev/null
    then good "$1" "clang links it"; else wrong "$1" "clang cannot link it"; fi
}

echo "Packages (tools/packages.txt):"
missing=$(tools/packages.sh missing)
if [ -n "$missing" ]; then
    wrong packages "missing:$(printf ' %s' $missing); \`make packages\` installs them"
else
    good packages "all installed"
fi

echo "Building:"
tool make 4
tool git 2
for name in clang ld.lld clang-format clang-tidy llvm-cov; do tool "$name" 14; done
links sanitizers 'int main(void) { return 0; }' -fsanitize=address,undefined
links cmocka 'int main(void) { return 0; }' -lcmocka

echo "Images:"
tool grub-mkrescue 2
tool xorriso 1
tool mformat 4
there "grub for BIOS" /usr/lib/grub/i386-pc/multiboot2.mod
there "grub for UEFI" /usr/lib/grub/x86_64-efi/multiboot2.mod

echo "Running and testing:"
tool qemu-system-x86_64 7
tool gdb 12
there "SeaBIOS" /usr/share/seabios/bios-256k.bin
there "OVMF code" /usr/share/OVMF/OVMF_CODE_4M.fd
there "OVMF variables" /usr/share/OVMF/OVMF_VARS_4M.fd
tool $python 3
module pytest pytest
module xdist pytest-xdist
module pexpect pexpect
module hypothesis hypothesis
module rich rich
module elftools pyelftools

if [ "$bad" -ne 0 ]; then
    echo "$bad wrong."
    exit 1
fi
echo "All is well."

#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds a GRUB 2 ISO that boots on BIOS and on UEFI.
#
#   tools/image.sh [-a KERNEL-ARGUMENTS] OUT KERNEL NAME=FILE...
#
# NAME is what the loader, init and tasks call the module. The kernel and every FILE that ends in
# ".elf" go in without symbols and debug information; other files go in as they are. So a program
# that is broken on purpose must have another ending: strip mends some faults.
set -eu

die() {
    echo "image.sh: $*" >&2
    exit 1
}

copy_module() {
    case $2 in
    *.elf) strip -o "$tree/boot/$1" "$2" ;;
    *) cp "$2" "$tree/boot/$1" ;;
    esac
}

arguments=
if [ "${1:-}" = -a ]; then
    arguments=$2
    shift 2
fi
[ $# -ge 2 ] || die "usage: image.sh [-a KERNEL-ARGUMENTS] OUT KERNEL NAME=FILE..."
case $arguments in
*[!A-Za-z0-9._=,:/\ -]*) die "kernel arguments with characters that GRUB would interpret" ;;
esac
out=$1
kernel=$2
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir -p "$tree/boot/grub" "$(dirname "$out")"
strip -o "$tree/boot/kernel.elf" "$kernel"
names=
for module in "$@"; do
    name=${module%%=*}
    file=${module#*=}
    case $name in
    '' | *[!A-Za-z0-9._-]*) die "bad module name: '$module'" ;;
    grub | kernel.elf) die "module name is taken: '$name'" ;;
    esac
    [ "$name" != "$module" ] || die "not NAME=FILE: '$module'"
    [ ! -e "$tree/boot/$name" ] || die "two modules named '$name'"
    copy_module "$name" "$file"
    names="$names $name"
done
cat - "$(dirname "$0")/../boot/grub.cfg" >"$tree/boot/grub/grub.cfg" <<END
set kernel_arguments="$arguments"
set modules="${names# }"
END

# Only what the configuration uses, uncompressed: GRUB's own memory is short on small machines.
# GRUB for UEFI asks for every kind of partition table and for video, and complains on the console
# where the modules are not there.
grub_modules="normal multiboot2 iso9660 serial terminal iorw echo halt test all_video"
for kind in acorn amiga apple bsd dfly dvh gpt msdos plan sun sunpc; do
    grub_modules="$grub_modules part_$kind"
done
grub-mkrescue -o "$out.part" --locales= --fonts= --themes= --compress=no \
    --install-modules="$grub_modules" \
    "$tree" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    rm -f "$out.part"
    die "grub-mkrescue failed"
}
mv "$out.part" "$out"

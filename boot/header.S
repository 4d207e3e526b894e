// SPDX-License-Identifier: MIT
// The Multiboot2 header (specification 3.1): what GRUB must do for us. Without an EFI entry tag it
// leaves the boot services and enters in 32-bit protected mode on UEFI as it does on a BIOS.

#define MULTIBOOT_MAGIC         0xe85250d6
#define ARCHITECTURE_I386       0
#define TAG_END                 0
#define TAG_INFORMATION_REQUEST 1
#define TAG_MODULE_ALIGN        6
#define INFO_COMMAND_LINE       1
#define INFO_MODULES            3
#define INFO_MEMORY_MAP         6

    .section .boot.header, "a", @progbits
    .balign 8
header_start:
    .long MULTIBOOT_MAGIC
    .long ARCHITECTURE_I386
    .long header_end - header_start
    .long -(MULTIBOOT_MAGIC + ARCHITECTURE_I386 + (header_end - header_start))

    .balign 8
request_start:
    .short TAG_INFORMATION_REQUEST, 0
    .long request_end - request_start
    .long INFO_COMMAND_LINE, INFO_MODULES, INFO_MEMORY_MAP
request_end:

    .balign 8
    .short TAG_MODULE_ALIGN, 0 // modules begin on pages of their own
    .long 8

    .balign 8
    .short TAG_END, 0
    .long 8
header_end:

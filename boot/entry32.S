// SPDX-License-Identifier: MIT
// From GRUB's 32-bit protected mode (paging off, flat segments, EAX magic, EBX boot information) to
// boot_main() in the high half. All of this file is linked at its physical address.
//
// The boot tables map the low 4 GiB one to one, and the low 1 GiB once more at KERNEL_BASE. One
// level-3 table serves both: entries 0..3 are the low GiBs, entry 510 is where KERNEL_BASE falls.
// The tables above it point to it from entries 0 and 511.

#define CPUID_EXTENDED          0x80000000
#define CPUID_EXTENDED_FEATURES 0x80000001
#define EXTENDED_EDX_NX         (1 << 20)
#define EXTENDED_EDX_LONG_MODE  (1 << 29)
#define CPUID_FEATURES          7
#define FEATURES_ECX_LA57       (1 << 16)

#define EFLAGS_ID (1 << 21)
#define CR0_WP    (1 << 16)
#define CR0_PG    (1 << 31)
#define CR4_PAE   (1 << 5)
#define CR4_LA57  (1 << 12)
#define MSR_EFER  0xc0000080
#define EFER_LME  (1 << 8)
#define EFER_NXE  (1 << 11)

#define ENTRY_TABLE 0x03 // present, writable
#define ENTRY_LARGE 0x83 // present, writable, 2 MiB leaf

#define COM1            0x3f8
#define DEBUG_EXIT_PORT 0xf4
#define EXIT_FAILURE    0x11 // POWER_FAILURE of arch/power.h
#define READY_POLLS     100000

#define BOOT_STACK_BYTES 32768

    .section .boot.low.text, "ax", @progbits
    .code32

    .globl boot_entry32
boot_entry32:
    cli
    cld
    mov $boot_stack_top, %esp
    mov %eax, %ebp // CPUID spares EBP and EDI: they carry GRUB's two words through
    mov %ebx, %edi
    call check_cpu
    call fill_tables
    call start_paging
    lgdt gdt_pointer
    ljmp $(gdt_code64 - gdt), $entry64

// Returns only on a CPU with long mode and NX.
check_cpu:
    pushf
    mov (%esp), %ecx
    xorl $EFLAGS_ID, (%esp)
    popf
    pushf
    pop %eax
    cmp %ecx, %eax // no CPUID where the ID flag cannot be changed
    je no_long_mode
    mov $CPUID_EXTENDED, %eax
    cpuid
    cmp $CPUID_EXTENDED_FEATURES, %eax
    jb no_long_mode
    mov $CPUID_EXTENDED_FEATURES, %eax
    cpuid
    test $EXTENDED_EDX_LONG_MODE, %edx
    jz no_long_mode
    test $EXTENDED_EDX_NX, %edx
    jz no_nx
    ret

// .bss is zero as GRUB loaded it.
fill_tables:
    xor %ecx, %ecx
1:  mov %ecx, %eax
    shl $21, %eax
    or $ENTRY_LARGE, %eax
    mov %eax, boot_level2(, %ecx, 8)
    inc %ecx
    cmp $(4 * 512), %ecx
    jb 1b
    movl $(boot_level2 + 0x0000 + ENTRY_TABLE), boot_level3 + 0 * 8
    movl $(boot_level2 + 0x1000 + ENTRY_TABLE), boot_level3 + 1 * 8
    movl $(boot_level2 + 0x2000 + ENTRY_TABLE), boot_level3 + 2 * 8
    movl $(boot_level2 + 0x3000 + ENTRY_TABLE), boot_level3 + 3 * 8
    movl $(boot_level2 + 0x0000 + ENTRY_TABLE), boot_level3 + 510 * 8
    movl $(boot_level3 + ENTRY_TABLE), boot_level4 + 0 * 8
    movl $(boot_level3 + ENTRY_TABLE), boot_level4 + 511 * 8
    movl $(boot_level4 + ENTRY_TABLE), boot_level5 + 0 * 8
    movl $(boot_level4 + ENTRY_TABLE), boot_level5 + 511 * 8
    ret

// LA57 can only be changed while paging is off (SDM 3A, 4.5.1), so it is decided here.
start_paging:
    mov $boot_level4, %esi
    push $CR4_PAE
    xor %eax, %eax
    cpuid
    cmp $CPUID_FEATURES, %eax
    jb 1f
    mov $CPUID_FEATURES, %eax
    xor %ecx, %ecx
    cpuid
    test $FEATURES_ECX_LA57, %ecx
    jz 1f
    orl $CR4_LA57, (%esp)
    mov $boot_level5, %esi
1:  pop %eax
    mov %eax, %cr4
    mov %esi, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $(EFER_LME | EFER_NXE), %eax
    wrmsr
    mov %cr0, %eax
    or $(CR0_PG | CR0_WP), %eax
    mov %eax, %cr0
    ret

no_long_mode:
    mov $text_no_long_mode, %esi
    jmp fail
no_nx:
    mov $text_no_nx, %esi

// Writes the text at ESI to COM1 and ends. The C driver is 64-bit code: none of it can run here.
fail:
    mov $(COM1 + 3), %dx
    mov $0x80, %al // divisor latch: 115200 baud, then 8N1
    out %al, %dx
    mov $(COM1 + 0), %dx
    mov $1, %al
    out %al, %dx
    mov $(COM1 + 1), %dx
    mov $0, %al
    out %al, %dx
    mov $(COM1 + 3), %dx
    mov $0x03, %al
    out %al, %dx
1:  lodsb
    test %al, %al
    jz 3f
    mov %al, %bl
    mov $(COM1 + 5), %dx
    mov $READY_POLLS, %ecx
2:  in %dx, %al
    test $0x20, %al
    loopz 2b // a port that is not there must not hold up the exit
    mov $(COM1 + 0), %dx
    mov %bl, %al
    out %al, %dx
    jmp 1b
3:  mov $EXIT_FAILURE, %eax
    out %eax, $DEBUG_EXIT_PORT
4:  cli
    hlt
    jmp 4b

    .code64
entry64:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov $boot_stack_top, %esp
    mov %edi, %esi // boot_main(magic, information)
    mov %ebp, %edi
    xor %ebp, %ebp
    movabs $boot_main, %rax
    call *%rax

    .section .boot.low.data, "aw", @progbits
    .balign 8
gdt:
    .quad 0
gdt_code64:
    .quad 0x00af9b000000ffff
gdt_pointer:
    .short gdt_pointer - gdt - 1
    .long gdt

text_no_long_mode:
    .asciz "boot: error: the CPU has no long mode (E_NOSYS)\r\n"
text_no_nx:
    .asciz "boot: error: the CPU has no NX (E_NOSYS)\r\n"

    .section .boot.low.bss, "aw", @nobits
    .balign 4096
boot_level5:
    .skip 4096
boot_level4:
    .skip 4096
boot_level3:
    .skip 4096
boot_level2:
    .skip 4 * 4096
    .skip BOOT_STACK_BYTES
boot_stack_top:

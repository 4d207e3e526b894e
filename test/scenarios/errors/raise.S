// SPDX-License-Identifier: MIT
#include "test/scenarios/errors/raise.h"

#define TF (1 << 8)
#define DF (1 << 10)
#define NT (1 << 14)
#define AC (1 << 18)
#define ID (1 << 21)

#define FAR 0x800000000000000 // not canonical, with 4 and with 5 levels

    .macro case name
    .globl \name
\name:
    .endm

    .text
    case raise_divide
    xor %edx, %edx
    xor %ecx, %ecx
    mov $1, %eax
    div %ecx
    jmp not_raised
    case raise_icebp
    .byte 0xf1
    jmp not_raised
    case raise_step
    pushf
    orq $TF, (%rsp)
    popf
    nop
    jmp not_raised
    case raise_step_syscall
    mov %rdi, %rax
    pushf
    orq $TF, (%rsp)
    popf
    syscall
    nop
    nop
    jmp not_raised
    case raise_int3
    int3
    jmp not_raised
    case raise_int4
    int $4
    jmp not_raised
    case raise_ud2
    ud2
    case raise_x87
    push $0x37b // all masked but the zero divide
    fldcw (%rsp)
    fld1
    fldz
    fdivrp
    fwait
    jmp not_raised
    case raise_int_page
    int $14
    jmp not_raised
    case raise_int_double
    int $8
    jmp not_raised
    case raise_int_timer
    int $0x20
    jmp not_raised
    case raise_int_80
    int $0x80
    jmp not_raised
    case raise_cli
    cli
    jmp not_raised
    case raise_sti
    sti
    jmp not_raised
    case raise_hlt
    hlt
    jmp not_raised
    case raise_in
    mov $0x64, %dx
    in %dx, %al
    jmp not_raised
    case raise_out
    mov $0xf4, %dx
    xor %eax, %eax
    out %al, %dx
    jmp not_raised
    case raise_read_cr0
    mov %cr0, %rax
    jmp not_raised
    case raise_write_cr3
    xor %eax, %eax
    mov %rax, %cr3
    jmp not_raised
    case raise_rdmsr
    mov $0xc0000080, %ecx
    rdmsr
    jmp not_raised
    case raise_wrmsr
    mov $0xc0000102, %ecx
    wrmsr
    jmp not_raised
    case raise_lgdt
    lgdt (%rsp)
    jmp not_raised
    case raise_ltr
    xor %eax, %eax
    ltr %ax
    jmp not_raised
    case raise_swapgs
    swapgs
    jmp not_raised
    case raise_sysret
    sysretq
    jmp not_raised
    case raise_invlpg
    invlpg (%rsp)
    jmp not_raised
    case raise_wbinvd
    wbinvd
    jmp not_raised
    case raise_kernel_ds
    mov $0x10, %eax
    mov %eax, %ds
    jmp not_raised
    case raise_null_ss
    xor %eax, %eax
    mov %eax, %ss
    jmp not_raised
    case raise_iret_kernel
    mov %rsp, %rax
    push $0x10
    push %rax
    pushf
    push $0x8
    push $not_raised
    iretq
    case raise_load_far
    movabs $FAR, %rax
    mov (%rax), %rax
    jmp not_raised
    case raise_jump_far
    movabs $FAR, %rax
    jmp *%rax
    case raise_stack_far
    movabs $FAR, %rsp
    push %rax
    jmp not_raised

    case raise_read_nothing
    mov 0x1000, %rax
    jmp not_raised
    case raise_write_nothing
    movq $1, 0x1000
    jmp not_raised
    case raise_jump_nothing
    mov $0x1000, %eax
    jmp *%rax
    case raise_write_text
    movb $0x90, raise_write_text
    jmp not_raised
    case raise_write_rodata
    movq $1, raise_rodata
    jmp not_raised
    case raise_jump_data
    mov $raise_data, %eax
    jmp *%rax
    case raise_no_stack
    mov $0x1000, %esp
    push %rax
    jmp not_raised
    case raise_read_kernel
    mov 0xffffffff80100000, %rax
    jmp not_raised
    case raise_write_kernel
    movq $1, 0xffffffff80100000
    jmp not_raised
    case raise_jump_kernel
    mov $0xffffffff80100000, %rax
    jmp *%rax
    case raise_read_objects
    movabs $0xffffff8000000000, %rax
    mov (%rax), %rax
    jmp not_raised
    case raise_read_physmap
    movabs $0xffff800000000000, %rax
    mov (%rax), %rax
    jmp not_raised

not_raised:
    mov $NOT_RAISED, %edi
    and $~15, %rsp
    call ipc_exit

    // NT would make the kernel's IRET fault, AC let it reach user pages, DF turn its copies round.
    case strange_flags
    push %rdi
    push $20
1:  pushf
    orq $(DF | NT | AC | ID), (%rsp)
    popf
    mov 8(%rsp), %rax
    syscall
    pushf
    pop %rax
    and $(DF | NT | AC | ID), %eax
    cmp $(DF | NT | AC | ID), %eax
    jne 2f
    decq (%rsp)
    jnz 1b
    cld
    xor %edi, %edi
    call ipc_exit
2:  cld
    jmp not_raised

    case strange_stack
    mov %rdi, %rax
    mov $0xdead, %esp
    mov $100000000, %ecx
1:  dec %ecx
    jnz 1b
    xor %edi, %edi
    syscall

    .section .rodata
    .globl raise_rodata
raise_rodata:
    .quad 0
    .data
    .globl raise_data
raise_data:
    .quad 0xc3

    .section .note.GNU-stack, "", @progbits

// SPDX-License-Identifier: MIT
// The probe. Nothing but registers, and nothing that a piece of code that it called could spoil:
// RIP is all that it relies on. Words of a message are RDI RSI RDX R8 R9 R10.
#include "servers/vmm/probe.h"

#define WORD_BYTES 24 // in three registers: PROBE_BYTES

    .section .rodata.probe, "a"
    .balign 16
    .globl probe_start, probe_end

probe_start:
answer_nothing:
    xor %edi, %edi
    xor %esi, %esi
    xor %edx, %edx
answer:
    mov $PROBE_CALL_HEADER, %eax
    syscall
    test %eax, %eax // a status: nobody is there to ask
    jnz end
    sub $1, %edi
    jb read
    je write
    sub $1, %edi
    je execute
end:
    xor %edi, %edi
    movabs $PROBE_EXIT_HEADER, %rax
    syscall

// RSI: address, RDX: how many. R10:R9:R8 is shifted right by a byte each time, so that the first
// one comes to lie lowest.
read:
    mov $WORD_BYTES, %ecx
read_byte:
    xor %eax, %eax
    test %rdx, %rdx
    jz read_shift
    movb (%rsi), %al
    inc %rsi
    dec %rdx
read_shift:
    shrd $8, %r9, %r8
    shrd $8, %r10, %r9
    shrd $8, %rax, %r10
    dec %ecx
    jnz read_byte
    mov %r8, %rdi
    mov %r9, %rsi
    mov %r10, %rdx
    jmp answer

write:
    test %rdx, %rdx
    jz answer_nothing
    movb %r8b, (%rsi)
    shrd $8, %r9, %r8
    shrd $8, %r10, %r9
    shr $8, %r10
    inc %rsi
    dec %rdx
    jmp write

// A return address is on the "stack", which is a constant of this page: there is nothing to push
// on. Bit 48 of this page's own address is set with 4 levels of tables, and clear with 5.
execute:
    lea return_4level(%rip), %rsp
    bt $48, %rsp
    jc 1f
    lea return_5level(%rip), %rsp
1:  jmp *%rsi

    .balign 8
return_4level:
    .quad PROBE_AT_4LEVEL + (answer_nothing - probe_start)
return_5level:
    .quad PROBE_AT_5LEVEL + (answer_nothing - probe_start)
probe_end:

    .section .note.GNU-stack, "", @progbits

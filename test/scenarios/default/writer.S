// SPDX-License-Identifier: MIT
// The program that the builder puts into the land. RSP points at its only data: the counter, and
// behind it the header word of the system call that yields (all other registers are lost there).
    .section .rodata.writer, "a"
    .globl writer_start, writer_end
writer_start:
    incq (%rsp)
    movq 8(%rsp), %rax
    syscall
    jmp writer_start
writer_end:

    .section .note.GNU-stack, "", @progbits

// SPDX-License-Identifier: MIT
// Where every user program begins. RDI: its argument, handed to main() as it is; RSP: the top of
// its stack, aligned to 16. What main() answers is the exit code.
    .section .text.start, "ax"
    .globl _start
_start:
    xorl %ebp, %ebp // the end of every backtrace
    call main
    movq %rax, %rdi
    call ipc_exit
    ud2

    .section .note.GNU-stack, "", @progbits

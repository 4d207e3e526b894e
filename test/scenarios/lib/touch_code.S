// SPDX-License-Identifier: MIT
// The code of touch tasks (touch.h): nothing but registers, so that no page is touched but the one
// that is asked for. RDI: the address. RSP: a word. All of it lies in one page.
#include "test/scenarios/lib/touch.h"

    .section .text.touch, "ax"
    .balign 128
    .globl touch_read, touch_write, touch_execute, touch_await, touch_count

touch_read:
    mov (%rdi), %rdi
exit:
    movabs $TOUCH_EXIT_HEADER, %rax
    syscall

touch_write:
    mov %rsp, (%rdi)
    jmp exit

// A constant is the "stack" from which a RET there returns.
touch_execute:
    lea return(%rip), %rsp
    jmp *%rdi

touch_await:
    cmp %rsp, (%rdi)
    jne touch_await
    jmp exit

touch_count:
    incq (%rdi)
    jmp touch_count

    .balign 8
return:
    .quad exit

    .section .note.GNU-stack, "", @progbits

// SPDX-License-Identifier: MIT
#include "test/unit/fake/kernel/fake_arch.h"

#include <sanitizer/asan_interface.h>
#include <string.h>

struct fake_arch fake;

static _Alignas(PAGE_SIZE) unsigned char window[FAKE_FRAMES][PAGE_SIZE];

void fake_unpoison_all(void)
{
    ASAN_UNPOISON_MEMORY_REGION(window, sizeof window);
}

void fake_reset(void)
{
    fake_unpoison_all();
    memset(window, 0, sizeof window);
    memset(&fake, 0, sizeof fake);
    fake.in = "";
}

void *fake_frame(uint64_t index)
{
    return window[index];
}

void fake_donate(uint64_t index)
{
    ASAN_UNPOISON_MEMORY_REGION(window[index], PAGE_SIZE);
    memset(window[index], 0xa5, PAGE_SIZE); // what somebody left there
    memset(window[index], 0, sizeof(struct object));
    fake.is_mapped[index] = true;
}

void fake_withdraw(uint64_t index)
{
    size_t header = sizeof(struct object);
    ASAN_POISON_MEMORY_REGION(window[index] + header, PAGE_SIZE - header);
}

struct object *arch_object_at(uint64_t index)
{
    return index < FAKE_FRAMES && fake.is_mapped[index] ? fake_frame(index) : NULL;
}

bool arch_is_user_address(vaddr_t va)
{
    return va < FAKE_USER_END;
}

void arch_task_start(struct task *t, const struct task_start *start)
{
    t->regs.w[0] = start->arg;
    t->regs.rip = start->rip;
    t->regs.rsp = start->rsp;
}

void arch_task_forget(struct task *t)
{
    fake.forgotten = t;
}

void arch_fpu_take(struct cpu *cpu)
{
    fake.fpu_taken = cpu->current;
}

void arch_idle(void)
{
    if (!fake.idle)
        longjmp(fake.escape, ESCAPE_IDLE);
    void (*idle)(void) = fake.idle;
    fake.idle = NULL; // one interrupt
    idle();
}

void arch_flush(struct cpu *cpu, paddr_t root, vaddr_t va, uint64_t pages)
{
    (void)cpu;
    fake.flush.root = root;
    fake.flush.va = va;
    fake.flush.pages = pages;
    fake.flush.count++;
}

void arch_console_write(const char *text, size_t len)
{
    if (len > sizeof fake.out - 1 - fake.n_out)
        len = sizeof fake.out - 1 - fake.n_out;
    memcpy(fake.out + fake.n_out, text, len);
    fake.n_out += len;
    fake.out[fake.n_out] = '\0';
}

size_t arch_console_send(const char *text, size_t len)
{
    size_t n = len < fake.send_max || !fake.is_slow ? len : fake.send_max;
    fake.send_max -= fake.is_slow ? (unsigned)n : 0;
    arch_console_write(text, n);
    return n;
}

size_t arch_console_read(char *text, size_t max)
{
    size_t n = 0;
    while (n < max && fake.in_ready && *fake.in) {
        text[n++] = *fake.in++;
        fake.in_ready--;
    }
    if (!n && fake.late_ready) { // arrives right after the kernel looked
        fake.in_ready = fake.late_ready;
        fake.late_ready = 0;
    }
    return n;
}

void arch_power_off(unsigned code)
{
    fake.power_code = code;
    longjmp(fake.escape, ESCAPE_POWER_OFF);
}

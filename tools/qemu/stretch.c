// SPDX-License-Identifier: MIT
// A plugin of QEMU's: the longest stretch of instructions with interrupts off, from outside. Off they
// are in the kernel, up to the instruction that leaves it, or that enables them to wait. Boot, before
// the first task runs, does not count.
//
//   -plugin build/stretch.so,out=FILE
//
// FILE gets the number of instructions, and the addresses of the blocks that they were in, a line each.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What this needs of QEMU's plugin API, version 1. No package has a header of it.
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translate_t)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*execute_t)(unsigned vcpu, void *context);
typedef void (*end_t)(uint64_t id, void *context);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translate_t call);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, execute_t call, int flags,
                                          void *context);
void qemu_plugin_register_atexit_cb(uint64_t id, end_t call, void *context);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

int qemu_plugin_version = 1;

enum { BLOCKS_MAX = 4096 };

struct block {
    uint64_t va;
    unsigned n_instructions;
    bool enables; // interrupts, at its end
};

struct stretch {
    unsigned n_instructions, n_blocks;
    uint64_t blocks[BLOCKS_MAX];
};

static struct stretch now, longest;
static bool has_begun; // a task runs, or has run: the first thing below the kernel's half behind it
static const char *out;

static void end_stretch(void)
{
    if (now.n_instructions > longest.n_instructions)
        longest = now;
    now.n_instructions = now.n_blocks = 0;
}

static void execute(unsigned vcpu, void *context)
{
    const struct block *block = context;
    (void)vcpu;
    if (block->va >> 63 == 0) {
        if (has_begun)
            end_stretch();
        has_begun = has_begun || now.n_instructions > 0;
        now.n_instructions = now.n_blocks = 0;
        return;
    }
    now.n_instructions += block->n_instructions;
    if (now.n_blocks < BLOCKS_MAX)
        now.blocks[now.n_blocks++] = block->va;
    if (block->enables && has_begun)
        end_stretch();
}

static bool enables_interrupts(const struct qemu_plugin_insn *insn)
{
    const uint8_t *code = qemu_plugin_insn_data(insn);
    static const uint8_t iretq[] = {0x48, 0xcf}, sysretq[] = {0x48, 0x0f, 0x07}, sti[] = {0xfb};
    return memcmp(code, iretq, sizeof iretq) == 0 || memcmp(code, sysretq, sizeof sysretq) == 0 ||
           memcmp(code, sti, sizeof sti) == 0;
}

// An instruction that enables interrupts is the last one of its block.
static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
    struct block *block = malloc(sizeof *block);
    size_t n = qemu_plugin_tb_n_insns(tb);
    (void)id;
    if (!block || n == 0)
        abort();
    *block = (struct block){qemu_plugin_tb_vaddr(tb), (unsigned)n,
                            enables_interrupts(qemu_plugin_tb_get_insn(tb, n - 1))};
    qemu_plugin_register_vcpu_tb_exec_cb(tb, execute, 0, block);
}

static void report(uint64_t id, void *context)
{
    FILE *file = fopen(out, "w");
    (void)id;
    (void)context;
    if (!file)
        return;
    fprintf(file, "%u\n", longest.n_instructions);
    for (unsigned i = 0; i < longest.n_blocks; i++)
        fprintf(file, "%#lx\n", longest.blocks[i]);
    fclose(file);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0)
        return 1;
    out = strdup(argv[0] + 4);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}

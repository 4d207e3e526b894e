# Cadastre. `make help` lists the targets; knobs, each with an example:
#
#   make run S=default          another scenario of test/scenarios
#   make run S=hostile SEED=7   with another seed for the tasks that take one
#   make run MEM=16M CPU=qemu64 memory and CPU of the machine (QEMU's -m and -cpu)
#   make run FIRMWARE=uefi      boot through OVMF instead of the BIOS
#   make run ICOUNT=shift=0,sleep=off   a clock that counts instructions (QEMU's -icount)
#   make unit T=clone           only the unit tests whose name contains "clone"
#   make picture IN=file        draw the machine after other commands of the shell; - : from stdin
#   make V=1                    show the commands
S        ?= default
MEM      ?= 64M
CPU      ?= max
FIRMWARE ?= bios
ICOUNT   ?=
T        ?=
IN       ?=
V        ?= 0

Q := $(if $(filter 1,$(V)),,@)
B := build

CC     := clang
LD     := ld.lld
PYTHON := /usr/bin/python3

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
        -Wimplicit-fallthrough -Wpointer-arith -Wcast-qual -Wwrite-strings
INCLUDES := -I. -Ilib -Iarch/x86_64/include
BASE := -std=c2x -O2 -g $(WARN) $(INCLUDES) -MMD -MP
BARE := --target=x86_64-unknown-none-elf -ffreestanding -fno-pic -mno-red-zone -mgeneral-regs-only \
        -fno-stack-protector -fno-omit-frame-pointer -fno-asynchronous-unwind-tables \
        -ffunction-sections -fdata-sections
KERNEL_CFLAGS := $(BASE) $(BARE) -mcmodel=kernel -Oz -momit-leaf-frame-pointer # see kernel/build.mk
USER_CFLAGS   := $(BASE) $(BARE) -mcmodel=small
HOST_CFLAGS   := $(BASE) -fsanitize=address,undefined -fno-sanitize-recover=all \
                 -fno-omit-frame-pointer -fprofile-instr-generate -fcoverage-mapping

all: # every image of the default scenario

# Each folder's build.mk names what it adds.
include tools/build.mk
include lib/ipc/build.mk
include arch/x86_64/build.mk
include kernel/build.mk
include boot/build.mk
include servers/vmm/build.mk
include servers/init/build.mk
include test/scenarios/build.mk
include test/bench/build.mk
include test/unit/build.mk

# Objects: build/kernel/... for the kernel's flags, build/user/... for tasks, build/host/... for tests.
$(B)/kernel/%.o: %.c | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@
$(B)/kernel/%.o: %.S | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(KERNEL_CFLAGS) -c $< -o $@
$(B)/user/%.o: %.c | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -c $< -o $@
$(B)/user/%.o: %.S | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(USER_CFLAGS) -c $< -o $@
$(B)/host/%.o: %.c | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -c $< -o $@

.PHONY: all clean
clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

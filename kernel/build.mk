KERNEL_SRC := $(wildcard kernel/*.c)

# All is compiled for size; what most system calls and messages go through not at any price.
KERNEL_WARM := log sched slot syscall portal endpoint
$(KERNEL_WARM:%=$(B)/kernel/kernel/%.o): KERNEL_CFLAGS += -Os

KERNEL_SRC := $(wildcard kernel/*.c)

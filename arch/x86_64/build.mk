ARCH_SRC := $(wildcard arch/x86_64/*.c arch/x86_64/*.S)

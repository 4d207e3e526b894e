# The kernel's image: the loader, arch and kernel in one ELF, and the script that puts it in an ISO.
BOOT_SRC       := $(wildcard boot/*.c boot/*.S)
KERNEL_LIB_SRC := lib/ipc/elf.c lib/ipc/format.c lib/ipc/rt.c lib/ipc/status.c
KERNEL_OBJ     := $(patsubst %,$(B)/kernel/%.o,\
                  $(basename $(BOOT_SRC) $(ARCH_SRC) $(KERNEL_SRC) $(KERNEL_LIB_SRC)))

KERNEL_LDFLAGS := -nostdlib -static --gc-sections --orphan-handling=error -z noexecstack \
                  -z max-page-size=4096 -T arch/x86_64/kernel.ld

$(B)/kernel.elf: $(KERNEL_OBJ) arch/x86_64/kernel.ld
	@mkdir -p $(@D)
	$(Q)$(LD) $(KERNEL_LDFLAGS) $(KERNEL_OBJ) -o $@

# Builds a bootable ISO: $(call make_image,OUT,KERNEL,NAME=FILE ...). What the recipe needs beside
# the files themselves is in IMAGE_DEPS.
IMAGE_DEPS := tools/image.sh boot/grub.cfg
make_image  = $(Q)tools/image.sh $(1) $(2) $(3)

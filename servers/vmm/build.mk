# The memory server: a pure core, compiled for the host's tests too, and a native part around it.
VMM_SRC := $(wildcard servers/vmm/core/*.c servers/vmm/*.c servers/vmm/*.S)
VMM_OBJ := $(patsubst %,$(B)/user/%.o,$(basename $(VMM_SRC)))

# Optimized as a whole: the core's files are small, and call each other for every page. gdb finds callers
# by .debug_frame, the kernel never follows them.
$(VMM_OBJ): USER_CFLAGS += -flto -fomit-frame-pointer

$(B)/vmm.elf: $(VMM_OBJ) $(LIB_IPC_OBJ) arch/x86_64/user.ld
	$(Q)$(LD) $(USER_LDFLAGS) $(VMM_OBJ) $(LIB_IPC_OBJ) -o $@

# The memory server: a pure core, compiled for the host's tests too, and a native part around it.
VMM_SRC := $(wildcard servers/vmm/core/*.c servers/vmm/*.c)
VMM_OBJ := $(patsubst %.c,$(B)/user/%.o,$(VMM_SRC))

$(B)/vmm.elf: $(VMM_OBJ) $(LIB_IPC_OBJ) arch/x86_64/user.ld
	$(Q)$(LD) $(USER_LDFLAGS) $(VMM_OBJ) $(LIB_IPC_OBJ) -o $@

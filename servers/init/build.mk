# init: the first client, started by the VMM. It loads the tasks that the manifest names.
INIT_SRC := $(wildcard servers/init/*.c)
INIT_OBJ := $(patsubst %.c,$(B)/user/%.o,$(INIT_SRC))

$(B)/init.elf: $(INIT_OBJ) $(LIB_IPC_OBJ) arch/x86_64/user.ld
	@mkdir -p $(@D)
	$(Q)$(LD) $(USER_LDFLAGS) $(INIT_OBJ) $(LIB_IPC_OBJ) -o $@

# User-mode library: system call stubs, the VMM's client side, start-up code. Linked into every task.
LIB_IPC_SRC := $(filter-out lib/ipc/test_%,$(wildcard lib/ipc/*.c)) $(wildcard lib/ipc/*.S)
LIB_IPC_OBJ := $(patsubst %,$(B)/user/%.o,$(basename $(LIB_IPC_SRC)))

# Links one user program: $(call link_user,NAME.elf,objects)
USER_LDFLAGS := -nostdlib -static --gc-sections -z max-page-size=4096 -z noexecstack \
                -T arch/x86_64/user.ld

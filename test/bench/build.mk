# What operations cost. Two systems to boot and measure alike:
#
#   build/bench/image.iso    Cadastre: the meter (meter/), and a task for each *.c file here that it
#                            needs another task for
#   build/bench/linux-init   the same for Linux (linux/), to be the only program there is
#
# lib/ is for both.
BENCH_PEERS := $(patsubst test/bench/%.c,%,$(wildcard test/bench/*.c))
BENCH_ELFS  := $(B)/bench/meter.elf $(BENCH_PEERS:%=$(B)/bench/%.elf)
METER_OBJ   := $(patsubst %.c,$(B)/user/%.o,\
               $(wildcard test/bench/meter/*.c test/bench/lib/*.c))

$(B)/bench/meter.elf: $(METER_OBJ) $(LIB_IPC_OBJ) arch/x86_64/user.ld
	@mkdir -p $(@D)
	$(Q)$(LD) $(USER_LDFLAGS) $(METER_OBJ) $(LIB_IPC_OBJ) -o $@

$(BENCH_PEERS:%=$(B)/bench/%.elf): $(B)/bench/%.elf: $(B)/user/test/bench/%.o $(LIB_IPC_OBJ) \
                                   arch/x86_64/user.ld
	@mkdir -p $(@D)
	$(Q)$(LD) $(USER_LDFLAGS) $< $(LIB_IPC_OBJ) -o $@

$(B)/bench/image.iso: test/bench/manifest $(BENCH_ELFS) $(B)/kernel.elf $(B)/vmm.elf \
                      $(B)/init.elf $(IMAGE_DEPS)
	@mkdir -p $(@D)
	$(call make_image,$@,$(B)/kernel.elf,vmm=$(B)/vmm.elf init=$(B)/init.elf manifest=$< \
	    $(foreach elf,$(BENCH_ELFS),$(basename $(notdir $(elf)))=$(elf)))

LINUX_CFLAGS   := $(BASE) -D_GNU_SOURCE
LINUX_INIT_SRC := $(wildcard test/bench/linux/*.c test/bench/lib/*.c)
LINUX_INIT_OBJ := $(LINUX_INIT_SRC:%.c=$(B)/linux/%.o)

$(B)/linux/%.o: %.c | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(LINUX_CFLAGS) -c $< -o $@

$(B)/bench/linux-init: $(LINUX_INIT_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) -static $^ -o $@

# Loaded by QEMU: counts for how long interrupts are off.
$(B)/bench/stretch.so: tools/qemu/stretch.c | packages
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c2x -O2 $(WARN) -Wno-missing-prototypes -shared -fPIC $< -o $@

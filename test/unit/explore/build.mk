# What takes long runs fast: the core and its model optimised and without sanitizers (build/fast/...).
FAST_OBJ := $(patsubst %.c,$(B)/fast/%.o,$(UNIT_SRC_vmm))

$(B)/fast/%.o: %.c | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(BASE) -c $< -o $@

$(B)/explore: $(B)/fast/test/unit/explore/main.o $(FAST_OBJ)
	$(Q)$(CC) $^ -o $@

$(B)/fast/test_random: $(B)/fast/test/unit/vmm/test_random.o $(FAST_OBJ)
	$(Q)$(CC) $^ -o $@ -lcmocka

OPS ?= 1000000
.PHONY: explore random
explore: $(B)/explore ## every sequence of operations on tiny machines, for some minutes (DEPTH=5)
	$(B)/explore

random: $(B)/fast/test_random ## OPS=1000000 random operations against the model (SEED=7)
	OPS=$(OPS) $(B)/fast/test_random

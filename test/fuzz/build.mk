# Fuzzing: each test/fuzz/fuzz_X.c is a libFuzzer target, `make fuzz T=X SECONDS=60`. What it learns is
# kept in build/fuzz/X, so the next run goes on from there; a failing input stays there too.
SECONDS ?= 60

FUZZ_CFLAGS := $(BASE) -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
               -fno-omit-frame-pointer
FUZZ_OBJ := $(patsubst %.c,$(B)/fuzz-objects/%.o,$(UNIT_SRC_vmm) $(wildcard test/unit/fake/vmm/*.c))
FUZZ_PROGRAMS := $(patsubst test/fuzz/fuzz_%.c,$(B)/fuzz/fuzz_%,$(wildcard test/fuzz/fuzz_*.c))

$(B)/fuzz-objects/%.o: %.c | packages
	@mkdir -p $(@D)
	$(Q)$(CC) $(FUZZ_CFLAGS) -c $< -o $@

$(FUZZ_PROGRAMS): $(B)/fuzz/%: $(B)/fuzz-objects/test/fuzz/%.o $(FUZZ_OBJ)
	@mkdir -p $(@D)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $^ -o $@ -lcmocka

.PHONY: fuzz
fuzz: $(B)/fuzz/fuzz_$(if $(T),$(T),ops) ## fuzz T=ops for SECONDS=60
	@mkdir -p $(B)/fuzz/$(if $(T),$(T),ops)
	cd $(B)/fuzz && ./fuzz_$(if $(T),$(T),ops) $(if $(T),$(T),ops) -max_total_time=$(SECONDS) -max_len=513 -len_control=0 \
	    -artifact_prefix=$(if $(T),$(T),ops)- -timeout=30 -print_final_stats=1

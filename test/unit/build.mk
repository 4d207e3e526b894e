# Host unit tests: each test/unit/GROUP/test_*.c is one cmocka program. It is linked with the group's
# sources (UNIT_SRC_GROUP), with the fakes in test/unit/fake/GROUP/, and with list_tests.c, through
# which pytest learns the names of its tests.
# The programs for the VMM also get the model that it is compared with (test/unit/model).
UNIT_SRC_model  := $(wildcard test/unit/model/*.c) test/unit/fake/tlb.c \
                   $(addprefix test/unit/explore/,explore.c menu.c canon.c)
UNIT_SRC_core   := $(wildcard servers/vmm/core/*.c) lib/ipc/status.c
UNIT_SRC_vmm    := $(UNIT_SRC_core) $(UNIT_SRC_model)
UNIT_SRC_boot   := boot/multiboot2.c boot/carve.c lib/ipc/elf.c lib/ipc/status.c
UNIT_SRC_ipc    := lib/ipc/elf.c lib/ipc/status.c lib/ipc/format.c
UNIT_SRC_kernel := $(filter-out kernel/main.c,$(wildcard kernel/*.c)) lib/ipc/status.c \
                   lib/ipc/format.c
UNIT_SRC_init   := servers/init/manifest.c servers/init/manifest_words.c servers/init/report.c \
                   lib/ipc/format.c lib/ipc/status.c
UNIT_SRC_shell  := $(addprefix test/scenarios/shell/shell/,line.c words.c names.c pattern.c)

UNIT_PROGRAMS :=

define unit_group
UNIT_OBJ_$(1) := $$(patsubst %.c,$(B)/host/%.o,$$(UNIT_SRC_$(1)) $$(wildcard test/unit/fake/$(1)/*.c))
UNIT_PROGRAMS_$(1) := $$(patsubst %.c,$(B)/%,$$(wildcard test/unit/$(1)/test_*.c))
UNIT_PROGRAMS += $$(UNIT_PROGRAMS_$(1))
$$(UNIT_PROGRAMS_$(1)): $(B)/%: $(B)/host/%.o $$(UNIT_OBJ_$(1)) $(B)/host/test/unit/list_tests.o
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(HOST_CFLAGS) -Wl,--wrap=_cmocka_run_group_tests $$^ -o $$@ -lcmocka
endef
$(foreach group,vmm boot ipc kernel init shell,$(eval $(call unit_group,$(group))))

.PHONY: unit-programs
unit-programs: $(UNIT_PROGRAMS) ## build the host unit tests

include test/unit/explore/build.mk
include test/fuzz/build.mk

# Each folder NAME here is a scenario: a manifest (servers/init/manifest.h says what may stand in
# it), and a task for each *.c file, in a module of the file's name. A task of several files is a
# folder of its name with all of them in it. *.S files are linked into every task of their folder (so
# NAME.S cannot stand beside NAME.c). lib/ is no scenario: a task that uses what is in it gets it linked
# in. Nothing else needs to be told about a new folder.
#
#   build/scenarios/NAME/TASK.elf    the tasks
#   build/scenarios/NAME/image.iso   kernel, VMM, init, manifest and tasks, ready to boot
#   build/scenarios/NAME/seed-N/     the same, but N is the `argument` of each task that has one
IMAGES := $(SCENARIOS:%=$(B)/scenarios/%/image.iso) # tools/build.mk lists the folders

TEST_LIB_SRC := $(wildcard test/scenarios/lib/*.c test/scenarios/lib/*.S)
TEST_LIB_OBJ := $(patsubst %,$(B)/user/%.o,$(basename $(TEST_LIB_SRC)))

# $(1) scenario, $(2) task: the objects of its one file, or of its folder.
task_objects = $(patsubst %.c,$(B)/user/%.o,$(or $(wildcard test/scenarios/$(1)/$(2).c),\
    $(wildcard test/scenarios/$(1)/$(2)/*.c)))

define task_rules
$(B)/scenarios/$(1)/$(2).elf: $(call task_objects,$(1),$(2)) $$(ASM_$(1)) $$(TEST_LIB_OBJ) \
                              $$(LIB_IPC_OBJ) arch/x86_64/user.ld
	@mkdir -p $$(@D)
	$$(Q)$$(LD) $$(USER_LDFLAGS) $(call task_objects,$(1),$(2)) $$(ASM_$(1)) $$(TEST_LIB_OBJ) \
	    $$(LIB_IPC_OBJ) -o $$@
endef

define scenario_rules
TASKS_$(1) := $$(patsubst test/scenarios/$(1)/%.c,%,$$(wildcard test/scenarios/$(1)/*.c)) \
              $$(patsubst test/scenarios/$(1)/%/,%,$$(dir $$(wildcard test/scenarios/$(1)/*/*.c)))
TASKS_$(1) := $$(sort $$(TASKS_$(1)))
ELFS_$(1)  := $$(TASKS_$(1):%=$(B)/scenarios/$(1)/%.elf)
ASM_$(1)   := $$(patsubst %.S,$(B)/user/%.o,$$(wildcard test/scenarios/$(1)/*.S))
$$(foreach task,$$(TASKS_$(1)),$$(if $$(wildcard test/scenarios/$(1)/$$(task).S),\
    $$(error test/scenarios/$(1)/$$(task).S: a task has that name)))

$$(foreach task,$$(TASKS_$(1)),$$(eval $$(call task_rules,$(1),$$(task))))

$(B)/scenarios/$(1)/image.iso: test/scenarios/$(1)/manifest $$(ELFS_$(1)) $(B)/kernel.elf \
                               $(B)/vmm.elf $(B)/init.elf $$(IMAGE_DEPS)
	@mkdir -p $$(@D)
	$$(call make_image,$$@,$(B)/kernel.elf,vmm=$(B)/vmm.elf init=$(B)/init.elf manifest=$$< \
	    $$(foreach task,$$(TASKS_$(1)),$$(task)=$(B)/scenarios/$(1)/$$(task).elf))

.PRECIOUS: $(B)/scenarios/$(1)/seed-%/manifest
$(B)/scenarios/$(1)/seed-%/manifest: test/scenarios/$(1)/manifest
	@mkdir -p $$(@D)
	$$(Q)sed 's/argument=[0-9]*/argument=$$*/' $$< >$$@

$(B)/scenarios/$(1)/seed-%/image.iso: $(B)/scenarios/$(1)/seed-%/manifest $$(ELFS_$(1)) \
                                      $(B)/kernel.elf $(B)/vmm.elf $(B)/init.elf $$(IMAGE_DEPS)
	$$(call make_image,$$@,$(B)/kernel.elf,vmm=$(B)/vmm.elf init=$(B)/init.elf manifest=$$< \
	    $$(foreach task,$$(TASKS_$(1)),$$(task)=$(B)/scenarios/$(1)/$$(task).elf))
endef
$(foreach scenario,$(SCENARIOS),$(eval $(call scenario_rules,$(scenario))))

all: $(B)/scenarios/default/image.iso

.PHONY: images
images: $(IMAGES) ## build the images of all scenarios

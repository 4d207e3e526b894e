# Each folder NAME here is a scenario: a manifest (servers/init/manifest.h says what may stand in
# it), and a task for each *.c file, in a module of the file's name. *.S files are linked into every
# task of their folder (so NAME.S cannot stand beside NAME.c). Nothing else needs to be told about a
# new folder.
#
#   build/scenarios/NAME/TASK.elf    the tasks
#   build/scenarios/NAME/image.iso   kernel, VMM, init, manifest and tasks, ready to boot
IMAGES := $(SCENARIOS:%=$(B)/scenarios/%/image.iso) # tools/build.mk lists the folders

define scenario_rules
TASKS_$(1) := $$(patsubst test/scenarios/$(1)/%.c,%,$$(wildcard test/scenarios/$(1)/*.c))
ELFS_$(1)  := $$(TASKS_$(1):%=$(B)/scenarios/$(1)/%.elf)
ASM_$(1)   := $$(patsubst %.S,$(B)/user/%.o,$$(wildcard test/scenarios/$(1)/*.S))
$$(foreach task,$$(TASKS_$(1)),$$(if $$(wildcard test/scenarios/$(1)/$$(task).S),\
    $$(error test/scenarios/$(1)/$$(task).S: a task has that name)))

$$(ELFS_$(1)): $(B)/scenarios/$(1)/%.elf: $(B)/user/test/scenarios/$(1)/%.o $$(ASM_$(1)) \
                                          $$(LIB_IPC_OBJ) arch/x86_64/user.ld
	@mkdir -p $$(@D)
	$$(Q)$$(LD) $$(USER_LDFLAGS) $$< $$(ASM_$(1)) $$(LIB_IPC_OBJ) -o $$@

$(B)/scenarios/$(1)/image.iso: test/scenarios/$(1)/manifest $$(ELFS_$(1)) $(B)/kernel.elf \
                               $(B)/vmm.elf $(B)/init.elf $$(IMAGE_DEPS)
	@mkdir -p $$(@D)
	$$(call make_image,$$@,$(B)/kernel.elf,vmm=$(B)/vmm.elf init=$(B)/init.elf manifest=$$< \
	    $$(foreach task,$$(TASKS_$(1)),$$(task)=$(B)/scenarios/$(1)/$$(task).elf))
endef
$(foreach scenario,$(SCENARIOS),$(eval $(call scenario_rules,$(scenario))))

all: $(B)/scenarios/default/image.iso

.PHONY: images
images: $(IMAGES) ## build the images of all scenarios

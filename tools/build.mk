# What people type; `make help` lists it.
JOBS = $(shell nproc)

# A worker that crashes is not replaced: with loadgroup, xdist would wait for the new one for ever.
PYTEST   = $(PYTHON) -m pytest -c test/pytest.ini --rootdir=test -q -n $(JOBS) --dist loadgroup \
           --max-worker-restart 0
CADASTRE = PYTHONPATH=tools $(PYTHON) -m cadastre
MACHINE  = --memory $(MEM) --cpu $(CPU) --firmware $(FIRMWARE) $(if $(ICOUNT),--icount $(ICOUNT))
IMAGE    = $(B)/scenarios/$(S)/$(if $(filter command%,$(origin SEED)),seed-$(SEED)/)image.iso

SCENARIOS := $(patsubst test/scenarios/%/manifest,%,$(wildcard test/scenarios/*/manifest))

.PHONY: help packages run scenario shell picture debug test test-build unit mutants coverage bench \
        bench-build doctor stats
help: ## this list
	@sed -n 's/^#   make/  make/p' Makefile
	@echo
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(filter %Makefile %.mk,$(MAKEFILE_LIST)) \
	    | sort | expand -t 26
	@echo
	@echo "  scenarios (S=): $(SCENARIOS)"

# An order-only prerequisite of every object: it runs first, costs milliseconds, rebuilds nothing.
packages: ## install the Debian packages that are missing (every target does)
	@tools/packages.sh >&2

# The shell scenario waits for input, so it runs behind its front end.
run: $(IMAGE) ## boot scenario S in QEMU and show what it does
	$(Q)$(CADASTRE) $(if $(filter shell,$(S)),shell,run) --iso $(IMAGE) $(MACHINE)

scenario: run ## the same: make scenario S=name

shell: $(B)/scenarios/shell/image.iso ## type commands; or make -s shell <FILE, for the answers alone
	$(Q)$(CADASTRE) shell --iso $< $(MACHINE)

picture: $(B)/scenarios/shell/image.iso ## draw spaces, tables and grants after the commands in IN=file
	$(Q)$(CADASTRE) picture --iso $< $(MACHINE) --out $(B)/picture $(or $(IN),tools/showcase.txt)

debug: $(IMAGE) ## boot scenario S stopped, with gdb on it
	$(Q)$(CADASTRE) debug --iso $(IMAGE) $(MACHINE) --build $(B)

test: ## every test; the last line is "N passed, N failed"
	@tools/test.sh $(MAKE) $(JOBS) $(PYTEST)

test-build: all unit-programs $(SCENARIOS:%=$(B)/scenarios/%/image.iso) \
            bench-build

unit: unit-programs ## the host unit tests; T=text picks those with it in their name
	$(Q)$(PYTEST) test/unit $(if $(T),-k "$(T)")

# The quick ones first; the random operations run on the fake TLB.
MUTANT_TESTS := gather flush edit large transfer space window fault job revoke random

mutants: unit-programs ## remove each flush of the VMM, one at a time: a test must go red
	$(Q)$(PYTHON) tools/flush_mutants.py --cc "$(CC) $(HOST_CFLAGS)" \
	    --link "$(CC) $(HOST_CFLAGS) -Wl,--wrap=_cmocka_run_group_tests" --jobs $(JOBS) \
	    --build $(B)/mutants --objects $(UNIT_OBJ_vmm) $(B)/host/test/unit/list_tests.o \
	    --tests $(MUTANT_TESTS:%=$(B)/host/test/unit/vmm/test_%.o)

coverage: unit ## lines of the VMM's core that the unit tests reach
	$(Q)llvm-profdata merge -sparse $$(find $(B)/profile/test/unit/vmm -name '*.profraw') -o $(B)/profile/all
	$(Q)llvm-cov report -instr-profile=$(B)/profile/all $(firstword $(UNIT_PROGRAMS_vmm)) \
	    $(patsubst %,-object %,$(filter-out $(firstword $(UNIT_PROGRAMS_vmm)),$(UNIT_PROGRAMS_vmm))) \
	    servers/vmm/core

# OURS=1: only Cadastre, with 4 levels. RECORD=1: what is measured becomes what it may cost.
# TRACE=row: the instructions of that row, one by one, in build/bench/.
bench: bench-build $(if $(OURS)$(TRACE),,images) ## what operations cost here and on Linux; OURS=1 RECORD=1 TRACE=row
	$(Q)PYTHONPATH=tools $(PYTHON) -m cadastre.bench --build $(B) \
	    $(if $(OURS),--ours) $(if $(RECORD),--record) $(if $(TRACE),--trace $(TRACE))

bench-build: $(B)/bench/image.iso $(B)/bench/linux-init $(B)/bench/stretch.so

doctor: ## look at every tool that is needed; installs and boots nothing
	@tools/doctor.sh

stats: $(B)/kernel.elf ## lines of code; fails if kernel/ and arch/ have more than 4000
	$(Q)$(PYTHON) tools/stats.py $(B)/kernel.elf 4000

# make check. Sources of the system are linted with the flags that they are built with.
CHECK_DIRS := $(wildcard boot kernel arch lib servers test)
C_SOURCES  := $(shell find $(CHECK_DIRS) -name '*.c')
C_HEADERS  := $(shell find $(CHECK_DIRS) -name '*.h')
TIDY_KERNEL := $(filter boot/% kernel/% arch/%,$(C_SOURCES))
TIDY_LINUX  := $(filter test/bench/linux/%,$(C_SOURCES))
TIDY_USER   := $(filter-out $(TIDY_LINUX),\
               $(filter lib/% servers/% test/scenarios/% test/bench/%,$(C_SOURCES)))

.PHONY: check check-format check-layers check-tidy format
check: check-format check-layers check-tidy ## format, include layers, clang-tidy

check-format: | packages
	$(Q)clang-format --dry-run -Werror $(C_SOURCES) $(C_HEADERS)

format: | packages ## let clang-format rewrite the C sources
	$(Q)clang-format -i $(C_SOURCES) $(C_HEADERS)

check-layers: | packages
	$(Q)$(PYTHON) tools/layers.py $(CC) $(KERNEL_CFLAGS)

check-tidy: $(patsubst %,$(B)/tidy/%,$(TIDY_KERNEL) $(TIDY_USER) $(TIDY_LINUX)) # one stamp a file: what has not changed is not done again

$(TIDY_KERNEL:%=$(B)/tidy/%): TIDY_CFLAGS = $(KERNEL_CFLAGS)
$(TIDY_USER:%=$(B)/tidy/%): TIDY_CFLAGS = $(USER_CFLAGS)
$(TIDY_LINUX:%=$(B)/tidy/%): TIDY_CFLAGS = $(LINUX_CFLAGS)
$(B)/tidy/%: % $(C_HEADERS) .clang-tidy | packages
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(TIDY_CFLAGS) 2>$@.log || { cat $@.log >&2; exit 1; }
	@touch $@

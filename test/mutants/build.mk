.PHONY: mutants
mutants: $(B)/fast/test_random $(B)/explore ## remove each flush of the VMM: a test must notice
	$(PYTHON) test/mutants/mutants.py --build $(B) --compile '$(CC) $(BASE)' $(FAST_OBJ)

VENV ?= .venv
BIN = $(VENV)/bin

demo: $(VENV)/ready   # a small project, started, shown, stopped, in a folder of its own
	@$(BIN)/python examples/demo.py

test: $(VENV)/ready   # the tests: make test ARGS="-k runner -x"
	$(BIN)/pytest -n 5 --dist worksteal $(ARGS)

soak: $(VENV)/ready   # the long versions of the fault suite
	$(BIN)/pytest -m soak -n 2 $(ARGS)

real: $(VENV)/ready   # real software behind the proxy; what is missing is skipped with a word
	$(BIN)/pytest -m real $(ARGS)

check: $(VENV)/ready  # everything that must be clean, fastest to fail first
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 5 --dist worksteal

bench: $(VENV)/ready  # speed, each figure a ratio against a baseline of the same run
	$(BIN)/python -m bench

# Not `uv sync`, which would write a lock file. PYTHON chooses the interpreter, VENV the folder.
PYTHON ?= python3
$(VENV)/ready: pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --constraint constraints.txt --group dev \
		--editable .[testing] $(patsubst %/pyproject.toml,--editable %,$(wildcard plugins/*/pyproject.toml))
	@touch $@

.PHONY: demo test check soak real bench

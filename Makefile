BIN = .venv/bin

demo: .venv/ready   # a small project, started, shown, stopped, in a folder of its own
	@$(BIN)/python examples/demo.py

test: .venv/ready   # the tests: make test ARGS="-k runner -x"
	$(BIN)/pytest -n 4 $(ARGS)

check: .venv/ready  # everything that must be clean, fastest to fail first
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 4

bench: .venv/ready  # speed, each figure a ratio against a baseline of the same run
	$(BIN)/python -m bench

# Not `uv sync`, which would write a lock file. PYTHON chooses the interpreter.
PYTHON ?= python3
.venv/ready: pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --constraint constraints.txt --group dev \
		--editable .[testing] $(patsubst %/pyproject.toml,--editable %,$(wildcard plugins/*/pyproject.toml))
	@touch $@

.PHONY: demo test check bench

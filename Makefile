# Everything runs inside .venv.  Stamps say what has been installed, so that nothing is installed twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.DEFAULT_GOAL := install
.PHONY: install demo test lint slow bench notebooks clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "replica needs Python 3.11 or newer, found %s" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[torch,certify]'
	$(BIN)/python -c 'from numerics.solver import prepare; prepare()'  # compiles the solver, once for all theories
	touch $@

$(VENV)/.testing: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

install: $(VENV)/.installed

demo: install
	$(BIN)/python -m simulate.cli.demo

lint: $(VENV)/.testing
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -q -n $(WORKERS)

slow: $(VENV)/.testing
	$(BIN)/python -m pytest -q -m slow

bench: $(VENV)/.testing
	$(BIN)/python -m benchmarks.bench

notebooks: $(VENV)/.testing
	for each in notebooks/*.py; do $(BIN)/jupytext --to ipynb $$each && $(BIN)/jupyter-execute --inplace $${each%.py}.ipynb || exit 1; done

clean:
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache .hypothesis

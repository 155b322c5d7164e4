# Everything on a fresh machine with Python >= 3.11 and make: `make run`, `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run test lint types bench docs app clean help

help:
	@echo "make run    set up $(VENV) and run march-2020: summary, result files, report"
	@echo "make test   set up $(VENV) and run all tests"
	@echo "make app    open a run's results in the browser"
	@echo "make bench  print the table of benchmarks"
	@echo "make docs   renew the parts of README and docs/ that are made from the code"
	@echo "make lint   ruff and mypy"

run: $(VENV)/.installed
	$(BIN)/undertow run march-2020

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks

docs: $(VENV)/.installed
	$(BIN)/python -m sim.cli.documentation $(wildcard out/march-2020-1)

app: $(VENV)/.installed
	$(BIN)/streamlit run app.py

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "undertow needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; say make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Everything runs in .venv, made from the locked versions; only `make lock` chooses new ones.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
LOCK_NOTE := \# Made by 'make lock' from pyproject.toml: exact versions and their hashes.

.PHONY: demo test lint fmt deep simulate bench bench-compile bench-edge bench-upstream lock clean help

help:
	@echo "make demo   show the gateway at work, without any account"
	@echo "make test   lint, types and tests"
	@echo "make lint   lint and types alone"
	@echo "make fmt    format, and mend what the linter can"
	@echo "make deep   the property tests, for as long as they like"
	@echo "make simulate  whole gateways in made-up worlds: RUNS of them from seed FIRST on"
	@echo "make bench  our gateway beside others; ONLY=\"peers latency\", QUICK=1, KEEP=1"
	@echo "make bench-compile   how long compiling takes, by shape and size"
	@echo "make bench-edge      what a client's request costs, through our edge and hypercorn's"
	@echo "make bench-upstream  what asking a provider costs, through our connections and httpx"
	@echo "make lock   choose new versions of what kt depends on"
	@echo "make clean  forget everything that was made"

demo: $(INSTALLED)
	$(BIN)/kt demo

test: lint
	$(BIN)/python -m pytest

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

fmt: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

deep: $(INSTALLED)
	KT_HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -o faulthandler_timeout=0

RUNS ?= 20000
FIRST ?= 10000

simulate: $(INSTALLED)
	$(BIN)/kt selftest --runs $(RUNS) --first $(FIRST)

bench: $(INSTALLED)
	$(BIN)/python -m bench $(ONLY) $(if $(QUICK),--quick) $(if $(KEEP),--keep)

bench-compile: $(INSTALLED)
	$(BIN)/python bench/compile.py

bench-edge: $(INSTALLED)
	$(BIN)/python bench/edge.py

bench-upstream: $(INSTALLED)
	$(BIN)/python bench/upstream.py

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "kt needs Python 3.11 or newer; say which: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(LOCKED): requirements/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	touch $@

# Without isolation, so that the build backend is the one whose hash was checked.
$(INSTALLED): pyproject.toml $(LOCKED)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

lock: | $(INSTALLED)
	$(COMPILE) --upgrade --output-file requirements/run.txt pyproject.toml
	$(COMPILE) --upgrade --output-file requirements/dev.txt --extra dev --build-deps-for editable \
		--constraint requirements/run.txt pyproject.toml
	for lock in run dev; do sed -i "1i $(LOCK_NOTE)" requirements/$$lock.txt; done

clean:
	rm -rf $(VENV) .bench dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

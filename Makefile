# Needs only make and Python 3.11 or newer; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
LINTERS := .venv/.linters
WRITERS := .venv/.writers
COMPETITORS := .venv/.competitors

.PHONY: help setup verify test lint lessons docs bench clean
.DEFAULT_GOAL := help

help:
	@echo "make setup    create .venv with everything the other targets need"
	@echo "make verify   run the claims and write results/verify/report.html"
	@echo "make test     run the tests and the examples in the documentation strings"
	@echo "make lint     check style and types"
	@echo "make lessons  run the lessons and write them to results/lessons/index.html"
	@echo "make docs     write the documentation site to results/docs/index.html"
	@echo "make bench    measure speed (python -m benchmarks)"
	@echo "make clean    remove .venv, results and caches"

setup: $(INSTALLED) $(LINTERS) $(WRITERS)

verify: $(INSTALLED)
	$(BIN)/synthlaw verify --preset quick --out results/verify

# Two processes: a test uses one core as a rule, and each process keeps gigabytes of programs.
test: $(INSTALLED) $(WRITERS)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(LINTERS) $(WRITERS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

lessons: $(WRITERS)
	$(BIN)/python paper_notes/lessons/export.py results/lessons

docs: $(WRITERS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open results/docs/index.html"

bench: $(COMPETITORS)
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.fits
	$(BIN)/python -m benchmarks.smote
	$(BIN)/python -m benchmarks.symmetry
	$(BIN)/python -m benchmarks.plan
	$(BIN)/python -m benchmarks.fixed_point
	$(BIN)/python -m benchmarks.wide
	$(BIN)/python -m benchmarks.series_law
	$(BIN)/python -m benchmarks.tokens

# What writes the documentation and runs the lessons is installed apart: the claims need none of it.
# The stamps make set-up happen once, and again when a requirement changes.
# The build backend is installed first and pinned like the rest, which is why isolation is off.
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "synthlaw needs Python 3.11 or newer, but '$(PYTHON)' is older or missing;" \
	    "name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt pip setuptools
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[test,cluster]'
	@touch $@

$(LINTERS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

$(WRITERS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[docs,lessons]'
	@touch $@

# What the benchmarks compare with.
$(COMPETITORS): $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[bench]'
	@touch $@

clean:
	rm -rf .venv results build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

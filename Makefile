# Every target makes .venv itself. Another Python: make demo PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The heaviest tests hold a model each: two workers suit two cores.
TEST_WORKERS ?= 2
PIP_OPTIONS ?=

.DEFAULT_GOAL := help
.PHONY: help venv demo dagit test lint bench clean

help:
	@echo "make demo   every table of a dataset, made by the embedded model (minutes, no GPU)"
	@echo "make dagit  the web interface, http://127.0.0.1:3000"
	@echo "make test   all tests"
	@echo "make lint   ruff check and ruff format --check"
	@echo "make bench  benchmarks"
	@echo "make clean  caches and build results; tables (.lgt) and .venv stay"

venv: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_OPTIONS) -c constraints.txt -e '.[embedded,photos,dev]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/lgt demo

dagit: $(INSTALLED)
	$(BIN)/lgt dagit

test: $(INSTALLED)
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

clean:
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis *.egg-info .tmp_dagster_home_*
	find lgt_assets lgt_assets_tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

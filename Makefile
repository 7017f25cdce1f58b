# Everything a newcomer needs: `make demo` on a fresh machine with Python >= 3.11, make and git.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Compiled Python is kept: without it every process compiles Airflow again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(INSTALLED): requirements.txt requirements-dev.txt pyproject.toml deploy/install
	@PYTHON="$(PYTHON)" deploy/install "$(VENV)"
	@touch $@

.PHONY: install
install: $(INSTALLED) ## Create .venv from the hash-checked lock (every other target does so by itself)

.PHONY: demo
demo: $(INSTALLED) ## Start everything, confirm orders in the CRM and follow them to the customer
	@$(BIN)/throughline demo

.PHONY: up
up: $(INSTALLED) ## Start PostgreSQL, the plant in a box, the hub and Airflow
	@$(BIN)/throughline up

.PHONY: down
down: ## Stop all of it and leave nothing running
	@if [ -x $(BIN)/throughline ]; then $(BIN)/throughline down; else echo "Nothing is installed, so nothing is running."; fi

.PHONY: test
test: lint types $(INSTALLED) ## Lint, types and the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not heavy" $(ARGS)

.PHONY: test-heavy
test-heavy: $(INSTALLED) ## The tests that take minutes
	$(BIN)/python -m pytest -m heavy $(ARGS)

.PHONY: test-kills
test-kills: $(INSTALLED) ## Kill and freeze every component while orders flow, and print how long recovery took
	$(BIN)/python -m pytest -m heavy -s tests/kills $(ARGS)

.PHONY: lint
lint: $(INSTALLED) ## Style, complexity and order of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

.PHONY: types
types: $(INSTALLED) ## Types, strictly
	$(BIN)/mypy

.PHONY: bench
bench: $(INSTALLED) ## Measure speed: ratios against bare clients in the same run
	$(BIN)/python -m bench $(ARGS)

.PHONY: lock
lock: $(INSTALLED) ## Write the locks again from requirements.in and requirements-dev.in
	for name in requirements requirements-dev; do \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url $(ARGS) $$name.in --output-file $$name.txt; \
	done

.PHONY: clean
clean: down ## Stop everything, then remove the environment, the state and the caches
	rm -rf $(VENV) .throughline .plant .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

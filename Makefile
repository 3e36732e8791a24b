# flinkform: `make run` sets everything up and runs the jobs of this repository, `make test` sets everything up and tests it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(if $(shell $(p) -c 'import sys; print(*(["yes"] if sys.version_info >= (3, 11) else []))' 2>/dev/null),$(p))))
BIN := .venv/bin
NODE_QUIET := JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20

help: ## say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

run: .venv/run.stamp ## bring every job of this repository to RUNNING
	@$(NODE_QUIET) $(BIN)/flinkform up

down: ## stop what `make run` started; nothing is lost
	@if [ -x $(BIN)/flinkform ]; then $(BIN)/flinkform down; else echo "nothing was set up here"; fi

test: .venv/test.stamp ## run the tests
	$(NODE_QUIET) $(BIN)/python -m pytest $(PYTEST)

lint: .venv/test.stamp ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

generate: .venv/test.stamp ## write every generated file anew
	$(NODE_QUIET) $(BIN)/python -m flinkform.cli.generate

bench: .venv/test.stamp ## run every benchmark
	@for f in benchmarks/[a-z]*.py; do $(NODE_QUIET) $(BIN)/python -m benchmarks.$$(basename $$f .py) || exit 1; done

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "error: Python 3.11 or newer was not found; install it and try again" >&2; exit 1; }
	@echo "> creating .venv with $(PYTHON) ..."
	@$(PYTHON) -m venv .venv || { echo "error: this Python has no venv module; install your system's python3-venv package" >&2; rm -rf .venv; exit 1; }

# A stamp holds the lock it was installed from: an edit of the lock installs again, a second `make` does nothing.
.venv/run.stamp: requirements.lock pyproject.toml locks/*.lock | .venv/bin/python
	@if [ ! -e .venv/test.stamp ] || [ requirements.lock -nt .venv/test.stamp ] || [ pyproject.toml -nt .venv/test.stamp ]; then \
		echo "> installing the locked packages (Flink is 310 MB of them) ..."; $(call install,requirements.lock); fi
	@$(BIN)/flinkform doctor --install
	@touch $@

.venv/test.stamp: requirements-dev.lock pyproject.toml locks/*.lock | .venv/bin/python
	@echo "> installing the locked packages (Flink is 310 MB of them) ..."
	@$(call install,requirements-dev.lock)
	@$(BIN)/flinkform doctor --install
	@touch $@

# uv where it is there, as it is faster; pip, which every Python has, otherwise. Both check every hash.
install = if command -v uv >/dev/null 2>&1; then uv pip install --quiet --python $(BIN)/python --require-hashes -r $(1) \
	&& uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1) \
	&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; fi

.PHONY: help run down test lint generate bench

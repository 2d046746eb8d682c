# Every target runs in the environment .venv, which is made from requirements/dev.txt. It is brought up to date when that file or
# pyproject.toml changes.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

# The interpreter that makes the environment: Python 3.11, 3.12 or 3.13. The first one on the PATH is taken, 3.11 before the newer ones
# because the container images run it. `make setup PYTHON=/path/to/python` takes another; run `make clean` first if .venv exists.
PYTHON = $(shell for name in python3.11 python3.12 python3.13 python3; do \
  $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && command -v $$name && break; done)
OLDEST_PYTHON := 3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The uv on the PATH, or else the one that the recipe below installs.
UV := $(or $(shell uv --version >/dev/null 2>&1 && echo uv),.uv/bin/uv)

export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## Make the environment in .venv

.PHONY: python
python: ## Print the Python interpreter that makes the environment, or say what is missing
	@python="$(PYTHON)"; \
	if [ -z "$$python" ]; then \
	  echo "make: there is no Python 3.11, 3.12 or 3.13 on the PATH. Install one (on Debian or Ubuntu: python3 and python3-venv)," \
	    "install uv, which downloads one, or name one: make setup PYTHON=/path/to/python" >&2; exit 1; \
	elif ! "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'; then \
	  echo "make: $$python is not Python 3.11, 3.12 or 3.13. Name one that is: make setup PYTHON=/path/to/python" >&2; exit 1; \
	elif ! "$$python" -m ensurepip --version >/dev/null 2>&1; then \
	  echo "make: $$python cannot make environments. Install its venv module (on Debian or Ubuntu: python3-venv), or install uv." >&2; exit 1; \
	fi; \
	echo "$$python"

.uv/bin/uv: requirements/uv.txt
	@$(MAKE) --silent python PYTHON="$(PYTHON)" >/dev/null
	"$(PYTHON)" -m venv --clear .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# If there is no suitable interpreter, a uv on the PATH finds or downloads one.
ENVIRONMENT = $(UV) venv --quiet --python "$(or $(PYTHON),>=$(OLDEST_PYTHON),<3.14)"

$(BIN)/python: | $(filter .uv/bin/uv,$(UV))
	$(ENVIRONMENT) $(VENV)

$(READY): requirements/dev.txt pyproject.toml client/python/pyproject.toml | $(BIN)/python
	$(UV) pip sync --python $(BIN)/python --require-hashes requirements/dev.txt
	$(UV) pip install --python $(BIN)/python --quiet --no-deps --no-build-isolation --editable . --editable client/python
	@touch $@

.PHONY: demo
demo: $(READY) ## Run four methods on samples/cat.jpg through HTTP and Redis, and write the pictures to out/demo
	@$(BIN)/convscope demo

.PHONY: serve
serve: $(READY) ## Run the service, the workers and Redis on http://127.0.0.1:8000
	@$(BIN)/convscope serve

.PHONY: api
api: $(READY) ## Run the service alone (needs CONVSCOPE_REDIS_URL)
	@$(BIN)/convscope api

.PHONY: worker
worker: $(READY) ## Run the workers alone (needs CONVSCOPE_REDIS_URL)
	@$(BIN)/convscope worker

.PHONY: doctor
doctor: $(READY) ## List what this machine has of what convscope needs
	@$(BIN)/convscope doctor

.PHONY: test
test: $(READY) ## Run all tests except the slow ones
	$(BIN)/python -m pytest -n 2 -m "not slow" --durations=15 $(ARGS)

.PHONY: test-slow
test-slow: $(READY) ## Run the slow tests
	$(BIN)/python -m pytest -n 2 -m slow $(ARGS)

# torch has no hash in the lock, because one version has several builds, with and without CUDA. pip takes the build that its
# configuration finds.
TORCH := torch==2.13.0
PARITY := .venv-parity
PARITY_BIN := $(PARITY)/bin

$(PARITY)/.ready: requirements/dev.txt requirements/parity.txt | $(filter .uv/bin/uv,$(UV))
	$(ENVIRONMENT) --clear $(PARITY)
	$(UV) pip install --python $(PARITY_BIN)/python --quiet --require-hashes -r requirements/dev.txt
	$(UV) pip install --python $(PARITY_BIN)/python --quiet --require-hashes --no-deps --no-build-isolation -r requirements/parity.txt
	$(PARITY_BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts "$(TORCH)"
	@touch $@

.PHONY: test-parity
test-parity: $(PARITY)/.ready ## Compare the numbers with those of other libraries, in a separate environment
	$(PARITY_BIN)/python -m pytest tests/parity --durations=5 $(ARGS)

MUTATIONS := 10000

DOCS := .venv-docs
SITE := out/site

$(DOCS)/.ready: requirements/docs.txt | $(filter .uv/bin/uv,$(UV))
	$(ENVIRONMENT) --clear $(DOCS)
	$(UV) pip install --python $(DOCS)/bin/python --quiet --require-hashes -r requirements/docs.txt
	@touch $@

.PHONY: docs
docs: $(DOCS)/.ready ## Build the documentation site in out/site, and fail if a link leads nowhere
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet --site-dir "$(CURDIR)/$(SITE)"
	@echo "The site is in $(SITE)/index.html."

.PHONY: diagrams
diagrams: $(READY) ## Draw the diagrams of docs/ that have changed (needs Chromium)
	$(BIN)/python -m tests.site.diagrams

.PHONY: docs-serve
docs-serve: $(DOCS)/.ready ## Show the documentation site on http://127.0.0.1:8001, and build it anew when a page changes
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs serve --dev-addr 127.0.0.1:8001

.PHONY: audit
audit: $(READY) ## Ask for known holes in the pinned versions, with pip-audit in an environment of its own (needs the network)
	for lock in service worker-cpu worker-gpu; do \
	  $(UV) tool run pip-audit --requirement requirements/$$lock.txt --require-hashes --disable-pip --strict || exit 1; done

.PHONY: drill-images
drill-images: $(READY) ## Send damaged images, and the folder CORPUS, through the header check and the decoder
	$(BIN)/python -m benchmarks.image_drill $(CORPUS) --mutations $(MUTATIONS)

.PHONY: drill-faults
drill-faults: $(READY) ## Kill, stop, fill and overload each part, and compare the figures with what docs/reliability.md promises
	$(BIN)/python -m benchmarks.fault_drill $(ARGS)

MINUTES := 30

.PHONY: drill-soak
drill-soak: $(READY) ## Run jobs of varying kinds for MINUTES, and show how much memory, files and keys grow with them
	$(BIN)/python -m benchmarks.soak_drill --minutes $(MINUTES) $(ARGS)

S3 := .venv-s3

$(S3)/.ready: requirements/s3.txt | $(filter .uv/bin/uv,$(UV))
	$(ENVIRONMENT) --clear $(S3)
	$(UV) pip install --python $(S3)/bin/python --quiet --require-hashes -r requirements/s3.txt
	@touch $@

.PHONY: drill-s3
drill-s3: $(S3)/.ready ## Store the files on a local server of S3, in a separate environment, and check quota, expiry and orphans
	$(S3)/bin/python -m benchmarks.s3_drill

CHART := .venv-chart

$(CHART)/.ready: requirements/chart.txt | $(filter .uv/bin/uv,$(UV))
	$(ENVIRONMENT) --clear $(CHART)
	$(UV) pip install --python $(CHART)/bin/python --quiet --require-hashes -r requirements/chart.txt
	@touch $@

.PHONY: check-chart
check-chart: $(CHART)/.ready ## Lint and render the Helm chart, and check it against the schemas of Kubernetes, in a separate environment
	$(CHART)/bin/python -m pytest -c /dev/null --rootdir . --noconftest -p no:cacheprovider -q tests/deploy/test_chart.py $(ARGS)

.PHONY: coverage
coverage: $(READY) ## Run all tests and write their coverage, line by line, to htmlcov/index.html
	$(BIN)/python -m pytest --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: lint
lint: $(READY) ## Check style, types, the direction of imports, sizes and class names
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m tests.gates.size
	$(BIN)/python -m tests.gates.class_names

.PHONY: format
format: $(READY) ## Format the code and sort the imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: settings
settings: $(READY) ## Write docs/settings.md, docs/methods and the errors of docs/http.md from the code's definitions
	$(BIN)/python -m cli.settings_table
	$(BIN)/python -m cli.errors_section
	$(BIN)/python -m cli.client_methods
	$(BIN)/python -m cli.method_page

.PHONY: explorer
explorer: $(READY) ## Build the explorer page from explorer/ into service/explorer_page
	$(BIN)/python -m tests.explorer.tools

.PHONY: typescript
typescript: $(READY) ## Write the generated types of the TypeScript client
	$(BIN)/python -m tests.typescript.generate

.PHONY: gallery
gallery: $(READY) ## Make the sources' figures and every method's page in docs again
	@$(BIN)/convscope gallery $(ARGS)

.PHONY: bench-quick
bench-quick: $(READY) ## Fail if a Grad-CAM through HTTP costs much more beside its engine than it did
	$(BIN)/python -m benchmarks.quick $(ARGS)

.PHONY: bench-http
bench-http: $(READY) ## Time Grad-CAM through HTTP beside the engine alone, and say what each part costs
	$(BIN)/python -m benchmarks.through_http $(ARGS)

.PHONY: bench-run
bench-run: $(READY) ## Time `convscope run` beside a loop that is written by hand
	$(BIN)/python -m benchmarks.run_command $(ARGS)

BENCH := .venv-bench
BENCH_BIN := $(BENCH)/bin

$(BENCH)/.ready: requirements/dev.txt requirements/parity.txt requirements/bench-peers.txt requirements/bench-load.txt | $(filter .uv/bin/uv,$(UV))
	$(ENVIRONMENT) --clear $(BENCH)
	$(UV) pip install --python $(BENCH_BIN)/python --quiet --require-hashes -r requirements/dev.txt
	$(UV) pip install --python $(BENCH_BIN)/python --quiet --require-hashes -r requirements/bench-load.txt
	$(UV) pip install --python $(BENCH_BIN)/python --quiet --require-hashes --no-deps --no-build-isolation -r requirements/parity.txt \
	  -r requirements/bench-peers.txt
	$(UV) pip install --python $(BENCH_BIN)/python --quiet --no-deps --no-build-isolation --editable . --editable client/python
	$(BENCH_BIN)/python -m pip install --quiet --disable-pip-version-check --no-warn-conflicts "$(TORCH)"
	@touch $@

.PHONY: bench
bench: $(BENCH)/.ready ## Time convscope beside other libraries, in a separate environment, and write benchmarks/results
	$(BENCH_BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-load
bench-load: $(BENCH)/.ready ## Offer more and more calls to a whole convscope, and draw throughput and percentiles
	$(BENCH_BIN)/python -m benchmarks.load $(ARGS)

.PHONY: bench-gpu
bench-gpu: $(READY) ## Time the engine on a GPU: batches, number formats, with XLA and without
	$(BIN)/python -m benchmarks.gpu $(ARGS)

COMPILE = $(UV) pip compile --quiet --universal --python-version $(OLDEST_PYTHON) --generate-hashes --no-header $(UPGRADE)

.PHONY: lock
lock: | $(filter .uv/bin/uv,$(UV)) ## Pin all dependencies again (UPGRADE=--upgrade takes newer versions)
	$(COMPILE) --group uv --output-file requirements/uv.txt
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) pyproject.toml --extra service --extra demo --output-file requirements/service.txt
	$(COMPILE) pyproject.toml --extra worker --extra cpu --extra demo --output-file requirements/worker-cpu.txt
	$(COMPILE) pyproject.toml --extra worker --extra gpu --extra demo --output-file requirements/worker-gpu.txt
	$(COMPILE) pyproject.toml --extra service --extra worker --extra cpu --extra onnx --extra tflite --extra heif --extra embedded --extra traces --extra demo --group dev --output-file requirements/dev.txt
	$(COMPILE) --no-deps --group parity --output-file requirements/parity.txt
	$(COMPILE) --no-deps --group bench-peers --output-file requirements/bench-peers.txt
	$(COMPILE) --group bench-load --constraints requirements/dev.txt --output-file requirements/bench-load.txt
	$(COMPILE) pyproject.toml --extra service --extra embedded --extra s3 --group s3-drill --output-file requirements/s3.txt
	$(COMPILE) --group docs --output-file requirements/docs.txt
	$(COMPILE) --group chart --output-file requirements/chart.txt

.PHONY: clean
clean: ## Remove the environments, the caches and out/
	rm -rf $(VENV) $(PARITY) $(BENCH) $(DOCS) $(S3) $(CHART) .uv out build dist htmlcov .coverage .coverage.* .pytest_cache .ruff_cache .hypothesis .import_linter_cache

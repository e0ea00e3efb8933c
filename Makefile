# Every command sets itself up: it needs python3 (3.11 or newer) and nothing else. VENV=DIR takes an existing environment.
VENV ?= .venv
PYTHON := $(VENV)/bin/python
# Containers run as ids without a name or a home, and Snakemake asks for both before it reads a file.
export USER ?= $(shell id -u)
export XDG_CACHE_HOME ?= $(shell test -w "$$HOME" && echo "$$HOME/.cache" || echo "$(CURDIR)/.snakemake/cache")

.PHONY: help demo test soak gpu-check reports ui
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST)

$(VENV)/.ready: pyproject.toml constraints.txt
	test -x $(PYTHON) || python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.ready ## every method on the embedded digits at 10 %, with report: five minutes on two cores
	$(VENV)/bin/snakemake --config scales=10
	@echo "open reports/index.html; make ui shows the runs in MLflow; $(VENV)/bin/snakemake goes on to the whole grid"
	@echo "to have dkd and snakemake as commands in this shell, type: . $(VENV)/bin/activate"

test: $(VENV)/.ready ## ruff, types and the test suite
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PYTHON) -m mypy
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 2 tests/pretended

soak: $(VENV)/.ready ## kill every method at every operation on its files, and go on: twenty minutes
	OMP_NUM_THREADS=1 $(PYTHON) -m pytest -n 2 -m soak --durations 0

# It installs nothing, since a machine with a GPU may have no network: python3 will do that has what `dkd run` needs.
gpu-check: ## what a machine with a GPU must show before a grid is given to it: twice eight minutes; CHECK='--teacher FILE' for CIFAR-10
	$(if $(wildcard $(PYTHON)),$(PYTHON),python3) -m benchmarks.gpu_check $(CHECK)

reports: $(VENV)/.ready ## render the reports again from results/
	$(PYTHON) -m harness report

ui: $(VENV)/.ready ## the runs in MLflow, on 127.0.0.1
	$(PYTHON) -m harness ui

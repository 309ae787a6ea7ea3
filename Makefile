# Every target sets up .venv first, if it is missing or its requirements have changed.
PYTHON  ?= python3
VENV    := .venv
PY      := $(VENV)/bin/python
PIP     := $(PY) -m pip --quiet --disable-pip-version-check
OUT     ?= runs/latest
DATA    ?=
PROFILE ?=
REPOSITORY ?=
RUN     := $(PY) -m nbhelpers run --out "$(OUT)" $(if $(DATA),--data-dir "$(DATA)") $(if $(PROFILE),--profile "$(PROFILE)")

.PHONY: help setup setup-dev run test soak bench lab lint render book licences lock clean

help:            ## list the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: $(VENV)/.ready   ## create .venv with the pinned packages that a run needs

setup-dev: $(VENV)/.ready-dev   ## the same, and what the tests need besides

$(VENV)/.ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
	  echo "Expected Python 3.11, 3.12 or 3.13, since TensorFlow has wheels for these; received" \
	  "`$(PYTHON) --version`. Install one of them and name it: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --requirement requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready requirements-dev.txt
	$(PIP) install --require-hashes --requirement requirements-dev.txt
	touch $@

run: setup       ## execute the six notebooks; OUT=, DATA=, PROFILE= choose where, on what and how
	$(RUN)

test: lint       ## lint and all tests, the notebooks' smoke run included
	$(PY) -m pytest

soak: setup-dev      ## the series five times, thousands of extractions: does anything grow? (an hour)
	$(PY) -m tests.faults.soak

lab: setup       ## open the notebooks in JupyterLab, for this machine only
	TF_CPP_MIN_LOG_LEVEL=3 $(PY) -m jupyter lab --ip=127.0.0.1 notebooks

lint: setup-dev  ## style of code and notebook cells
	$(PY) -m ruff check .
	$(PY) -m ruff format --check nbhelpers tests tools

render: setup    ## execute the notebooks and store their outputs in them
	$(PY) -m tools.render

book: setup-dev  ## build the course site from the stored outputs, into site/; REPOSITORY= for links to the code
	$(PY) -m tools.book $(if $(REPOSITORY),--repository "$(REPOSITORY)")

bench: setup-dev     ## measure every claim of speed, into runs/bench (a quiet machine, a quarter of an hour)
	$(PY) -m tests.benchmarks

licences: setup  ## list the licence of every package that is installed
	$(PY) -m nbhelpers doctor --licences

# Pins that are there stay; `make lock UPGRADE=--upgrade` takes the newest.
lock: setup-dev  ## regenerate both requirements files from pyproject.toml (needs uv)
	$(PY) -m tools.lock $(UPGRADE)

clean:           ## remove what runs left behind (not .venv)
	rm -rf runs site .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

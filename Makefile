# Every target sets up .venv first, if it is missing or requirements.txt has changed.
PYTHON  ?= python3
VENV    := .venv
PY      := $(VENV)/bin/python
PIP     := $(PY) -m pip --quiet --disable-pip-version-check
OUT     ?= runs/latest
DATA    ?=
PROFILE ?=
RUN     := $(PY) -m nbhelpers run --out "$(OUT)" $(if $(DATA),--data-dir "$(DATA)") $(if $(PROFILE),--profile "$(PROFILE)")

.PHONY: help setup run test soak bench lab lint render licences lock clean

help:            ## list the targets
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: $(VENV)/.ready   ## create .venv with the pinned packages

$(VENV)/.ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --requirement requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

run: setup       ## execute the six notebooks; OUT=, DATA=, PROFILE= choose where, on what and how
	$(RUN)

test: setup      ## lint and all tests, the notebooks' smoke run included
	$(PY) -m ruff check .
	$(PY) -m pytest

soak: setup      ## the series five times, thousands of extractions: does anything grow? (an hour)
	$(PY) -m tests.faults.soak

lab: setup       ## open the notebooks in JupyterLab, for this machine only
	TF_CPP_MIN_LOG_LEVEL=3 $(PY) -m jupyter lab --ip=127.0.0.1 notebooks

lint: setup      ## style of code and notebook cells
	$(PY) -m ruff check .

render: setup    ## execute the notebooks and store their outputs in them
	$(PY) -m tools.render

bench: setup     ## measure every claim of speed, into runs/bench (a quiet machine, a quarter of an hour)
	$(PY) -m tests.benchmarks

licences: setup  ## list the licence of every package that is installed
	$(PY) -m nbhelpers doctor --licences

# Pins that are there stay; `make lock UPGRADE=--upgrade` takes the newest.
lock: setup      ## regenerate requirements.txt from pyproject.toml (needs uv)
	sed '/^[^#]/,$$d' requirements.txt > requirements.head
	cp requirements.txt requirements.new
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --quiet $(UPGRADE) --output-file requirements.new pyproject.toml
	cat requirements.head requirements.new > requirements.txt
	rm requirements.head requirements.new

clean:           ## remove what runs left behind (not .venv)
	rm -rf runs .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

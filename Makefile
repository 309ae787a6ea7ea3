# Every target sets up .venv first, if it is missing or requirements.txt has changed.
PYTHON  ?= python3
VENV    := .venv
PY      := $(VENV)/bin/python
OUT     ?= runs/latest
DATA    ?=
PROFILE ?=
RUN     := $(PY) -m nbhelpers run --out "$(OUT)" $(if $(DATA),--data-dir "$(DATA)") $(if $(PROFILE),--profile "$(PROFILE)")

.PHONY: help setup run test lab lint render bench lock clean

help:            ## list the targets
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: $(VENV)/.ready   ## create .venv with the pinned packages

$(VENV)/.ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	touch $@

run: setup       ## execute the six notebooks; OUT=, DATA=, PROFILE= choose where, on what and how
	$(RUN)

test: setup      ## lint and all tests, the notebooks' smoke run included
	$(PY) -m ruff check .
	$(PY) -m pytest

lab: setup       ## open the notebooks in JupyterLab
	TF_CPP_MIN_LOG_LEVEL=3 $(PY) -m jupyter lab notebooks

lint: setup      ## style of code and notebook cells
	$(PY) -m ruff check .

render: setup    ## execute the notebooks and store their outputs in them
	$(PY) -m nbhelpers render

bench: setup     ## measure every claim of speed, into runs/bench (a quiet machine, a quarter of an hour)
	$(PY) -m tests.benchmarks

lock: setup      ## regenerate requirements.txt from pyproject.toml (needs uv)
	{ sed '/^[^#]/,$$d' requirements.txt; \
	  uv pip compile --universal --python-version 3.11 --extra dev --no-header --no-annotate --no-emit-index-url --quiet pyproject.toml; \
	  echo '-e .'; } > requirements.new && mv requirements.new requirements.txt

clean:           ## remove what runs left behind (not .venv)
	rm -rf runs .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

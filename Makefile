# make train [ARGS="optim.wd=0.5 …"] · report · test · test-slurm · drill · test-browser · slow · check · docs · lens · bench · install
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable

.PHONY: train report test test-slurm test-browser drill slow check docs lens bench scale install clean

train: .venv/installed
	$(BIN)/python -m grok.train $(ARGS)

report: .venv/installed
	$(BIN)/python -m grok.report $(ARGS)

test: .venv/complete
	$(BIN)/pytest -n 2 -m "not slow and not slurm and not browser" $(ARGS)

# root and Debian: installs its packages where they are missing
test-slurm: .venv/complete
	$(BIN)/pytest -m slurm $(ARGS)

test-browser: .venv/complete
	command -v chromium > /dev/null || (apt-get update -q && apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core) > /dev/null
	$(BIN)/pytest -m browser $(ARGS)

# faults of every kind, done to real processes (docs/reliability.md): make drill ARGS="--seed 7 --only kills disk"
drill: .venv/complete
	$(BIN)/python -m drill $(ARGS)

slow: .venv/complete
	$(BIN)/pytest -m slow $(ARGS)

check: .venv/complete
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# the site, in build/docs, to be opened as files
docs: .venv/documented
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# networks of TransformerLens, opened here, and ours there
lens: .venv/installed .venv/lens/installed
	$(BIN)/python tests/transformer_lens_check.py .venv/lens/bin/python

# make bench, or what grows with the points of a sweep alone: make bench scale [ARGS="10 100"]
bench: .venv/installed $(if $(filter scale,$(MAKECMDGOALS)),,.venv/lens/installed)
	$(BIN)/python -m benchmarks$(if $(filter scale,$(MAKECMDGOALS)),.scale, --transformer-lens .venv/lens/bin/python) $(ARGS)

scale: bench
	@:

install: .venv/complete

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python must be 3.11 or newer. Got %d.%d; name another: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(PIP) .
	@# bytecode on all cores, which pip makes on one
	@$(BIN)/python -m compileall -q -j 0 -x '/tests?/' .venv/lib > /dev/null || true
	@touch $@

.venv/complete: .venv/installed
	$(PIP) ".[dev]"
	@touch $@

.venv/documented: .venv/installed
	$(PIP) ".[docs]"
	@touch $@

# TransformerLens, to be timed beside this project, by the same torch
.venv/lens/installed: .venv/installed
	$(PYTHON) -m venv .venv/lens
	.venv/lens/bin/pip install --quiet --disable-pip-version-check "transformer-lens>=3.9,<4" \
		"torch==$$($(BIN)/python -c 'import torch; print(torch.__version__.split("+")[0])')"
	@touch $@

clean:
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache

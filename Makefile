# `make demo` and `make test` need only git, make and python3 (3.11 to 3.13).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup demo demo-drift demo-repair demo-stop test coverage lint bench docs build lock clean

setup: $(VENV)/.installed  ## make .venv with annexa and the development tools in it

$(VENV)/.installed: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info < (3, 14); sys.exit(0 if ok else "annexa needs Python 3.11 to 3.13; this is " + sys.version.split()[0] + ". Set PYTHON=python3.12, say.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## a sample company on loopback, scanned
	$(BIN)/python -m demo

demo-drift: setup  ## the sample company changes; scan again to see it
	$(BIN)/python -m demo drift

demo-repair: setup  ## the sample company repairs what was found
	$(BIN)/python -m demo repair

demo-stop: setup
	$(BIN)/python -m demo stop

test: setup  ## the test suite (shared test data: set ANNEXA_TEST_DATA)
	$(BIN)/python -m pytest -n auto

coverage: setup  ## the test suite with branch coverage, in one process
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: setup  ## style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup
	$(BIN)/python -m bench

docs: setup  ## write the generated reference pages
	$(BIN)/python -m docs.generate

build: setup
	$(BIN)/python -m build --no-isolation

lock:  ## lock the dependencies again; needs uv
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	  pyproject.toml --extra postgresql --extra keyring --group dev -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
	  pyproject.toml --extra postgresql --extra keyring -o requirements/run.txt

clean:
	rm -rf $(VENV) .demo dist build .mypy_cache .ruff_cache .pytest_cache

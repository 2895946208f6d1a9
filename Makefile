# Two commands matter: `make run` (the site with demonstration data) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.run-$(shell cat requirements.lock setup.cfg pyproject.toml | sha256sum | cut -c1-12)
DEV_STAMP := $(VENV)/.dev-$(shell cat requirements-dev.lock setup.cfg pyproject.toml | sha256sum | cut -c1-12)
PORT ?= 8000
WORKERS ?= 2

export MARKET_INSTANCE ?= $(CURDIR)/instance
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: run test test-all lint bench lock shots translations clean

$(RUN_STAMP): | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	rm -f $(VENV)/.run-* && touch $@

$(DEV_STAMP): | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --require-hashes --only-binary :all: -r requirements-dev.lock
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	rm -f $(VENV)/.dev-* $(VENV)/.run-* && touch $@ $(RUN_STAMP)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# exec: Ctrl-C and kill reach the supervisor itself, which passes them on.
run: $(RUN_STAMP)
	@exec env MARKET_DEMO=1 MARKET_BIND=127.0.0.1:$(PORT) $(BIN)/market up --prepare

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg

test: lint
	$(BIN)/python -m pytest -q -m "not long" -n $(WORKERS)

test-all: $(DEV_STAMP)
	$(BIN)/python -m pytest -q -m long -n $(WORKERS)
	$(BIN)/python -m pytest -q --postgres -n $(WORKERS) tests/service tests/migrations \
	  tests/concurrency/test_voucher_money.py

bench: $(RUN_STAMP)
	$(BIN)/python -m tests.bench $(BENCH)

# Takes the pictures of the documents from the running demonstration site.
shots: $(DEV_STAMP)
	MARKET_BENCH_SHOTS=docs/screenshots $(BIN)/python -m pytest -q tests/browser/test_shots.py

# Collects the words of templates and code, brings the English list up to date and compiles it.
translations: $(DEV_STAMP)
	$(BIN)/python -m tests.translations

# Rewrites both lock files from setup.cfg (needs uv on the PATH).
lock:
	$(PYTHON) .ci/requirements.py runtime | uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --only-binary :all: -q -o requirements.lock
	$(PYTHON) .ci/requirements.py runtime dev | uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-annotate --only-binary :all: -q -c requirements.lock \
	  -o requirements-dev.lock

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

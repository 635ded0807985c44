PYTHON ?= python3
BIN := .venv/bin
# Without bytecode on disk every process of the tests compiles the whole application anew, and every worker all tests.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-all test-fast lint bench bench-scale soak migration script lock clean

run: .venv/ready
	@$(BIN)/woo-mautic demo

test: .venv/ready
	@$(BIN)/python -m pytest -n 4 $(TESTS)

# Every case on both databases; `make test` runs all on SQLite, and a part on PostgreSQL (tests/conftest.py).
test-all: .venv/ready
	@EVERYTHING=1 $(BIN)/python -m pytest -n 2 $(TESTS)

# What takes seconds: pure code and single rooms. No browser, no PostgreSQL, no processes, no whole syncs, no pages.
test-fast: .venv/ready
	@$(BIN)/python -m pytest -n 2 -m "not browser and not postgres and not road and not process and not contract" \
	  tests/mapping tests/streams tests/store tests/mautic tests/http tests/test_*.py

lint: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy integration app.py tests
	@$(BIN)/lint-imports
	@$(BIN)/djlint --lint --quiet templates

bench: .venv/ready
	@$(BIN)/python -m tests.bench

# Several workers on PostgreSQL; hours at the full size, minutes with SCALE=small (docs/measurements.md).
bench-scale: .venv/ready
	@$(BIN)/python -m tests.bench.scale

# About ten minutes; SOAK_MINUTES=n and SOAK_SEED=n change it. Not in CI: every run is another one.
soak: .venv/ready
	@$(BIN)/python -m tests.soak

# make migration m="what changes": a new revision with what the models have and the newest schema has not.
migration: .venv/ready
	@$(BIN)/python -m integration.models.migrate "$(m)"

# After a change in static/shop; needs Node.js. A test tells when a minified file is of another source.
script:
	@for name in carts subscribe; do \
	  npx --yes terser@5.51.4 static/shop/$$name.js --compress passes=3,unsafe_arrows=false --mangle --toplevel \
	    --format "preamble='/* $$(sha256sum static/shop/$$name.js | cut -c 1-16) */'" -o static/shop/$$name.min.js; \
	done

lock: .venv/ready
	@$(BIN)/pip install --quiet pip-tools
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --extra dev \
	  --no-emit-find-links --no-emit-index-url --no-emit-trusted-host -o requirements.lock pyproject.toml

clean:
	rm -rf .venv build *.egg-info

.venv/ready: requirements.lock pyproject.toml
	@echo "Setting up .venv …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

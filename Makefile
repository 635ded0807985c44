PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint bench lock clean

run: .venv/ready
	@$(BIN)/woo-mautic demo

test: .venv/ready
	@$(BIN)/python -m pytest -n 2 $(TESTS)

lint: .venv/ready
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy integration app.py
	@$(BIN)/lint-imports

bench: .venv/ready
	@$(BIN)/python -m tests.bench

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

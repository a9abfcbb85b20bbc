# `make help` lists the targets. Two commands set up everything: `make demo`, `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .uv/bin/uv
VENV := .venv/bin

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  \033[36m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check 'uv==0.13.9'

.venv/.ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --quiet --all-extras --python $$($(PYTHON) -c 'import sys; print(sys.executable)') && touch $@

.PHONY: setup
setup: .venv/.ready ## Create .venv with everything locked in uv.lock

.PHONY: lint
lint: .venv/.ready ## Style, types and layers
	$(VENV)/ruff check . && $(VENV)/ruff format --check . && $(VENV)/mypy && $(VENV)/lint-imports

.PHONY: fmt
fmt: .venv/.ready ## Format the code
	$(VENV)/ruff check --fix-only --exit-zero . && $(VENV)/ruff format .

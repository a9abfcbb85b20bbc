# `make help` lists the targets. Two commands set up everything: `make demo`, `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
UV := .uv/bin/uv
VENV := .venv/bin
# Options for pytest, for example: make test ARGS='-k pause -x'
ARGS ?=
# Tests start hundreds of programs: where compiled modules aren't kept, collecting alone takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check 'uv==0.13.9'

.venv/.ready: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --frozen --quiet --all-extras --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" && touch $@

.PHONY: setup
setup: .venv/.ready ## Create .venv with everything that uv.lock pins

.PHONY: demo
demo: .venv/.ready ## Show an update on the embedded dev cluster (STRATEGY=blueGreen: the other one; TRAFFIC=1: real requests; KEEP=1 stays up)
	@$(VENV)/rollouts demo $(if $(STRATEGY),--strategy $(STRATEGY)) $(if $(TRAFFIC),--traffic) $(if $(KEEP),--keep)

.PHONY: test
test: lint ## Run the fast tests, after the linters
	$(VENV)/pytest -n 4 --dist worksteal -q $(ARGS)

.PHONY: lint
lint: .venv/.ready ## Check style, types and layers
	$(VENV)/ruff check --quiet . && $(VENV)/ruff format --check --quiet . && $(VENV)/mypy && $(VENV)/lint-imports

.PHONY: fmt
fmt: .venv/.ready ## Format the code
	$(VENV)/ruff check --fix-only --exit-zero --quiet . && $(VENV)/ruff format .

.PHONY: crds
crds: .venv/.ready ## Generate manifests/crds from the models
	$(VENV)/rollouts crds --output manifests/crds

.PHONY: golden
golden: .venv/.ready ## Rewrite the golden transcripts; read the diff as prose
	GOLDEN=rewrite $(VENV)/pytest -q tests/golden

.PHONY: nightly
nightly: .venv/.ready ## Run the property tests over 10,000 random worlds
	HYPOTHESIS_PROFILE=nightly $(VENV)/pytest -n 2 tests/properties --timeout 7200

.PHONY: e2e
e2e: .venv/.ready ## Run the end-to-end tests on a real control plane (about 12 minutes to build at first)
	$(VENV)/python -m e2e.build && $(VENV)/pytest e2e -n 2 --dist worksteal -q --timeout 600 $(ARGS)

.PHONY: lab
lab: .venv/.ready ## Start the real control plane and print its kubeconfig
	$(VENV)/python -m e2e.plane manifests/crds/*.yaml

.PHONY: bench
bench: .venv/.ready ## Measure the controller on the real control plane
	$(VENV)/python -m e2e.build && $(VENV)/python -m e2e.bench

.PHONY: clean
clean: ## Remove what was installed and cached
	rm -rf .venv .uv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist

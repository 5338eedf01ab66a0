# `make help` lists what there is. Needs a Python 3.10 or newer; `make PYTHON=python3.12 …` chooses one.
PYTHON ?= python3
BIN := .venv/bin
UV := $(or $(shell command -v uv),.venv-uv/bin/uv)

PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile

.PHONY: help demo lint types quick test test-slow coverage test-diffusers constraints \
	macos-resolve clean

help: ## Show these lines.
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | \
		awk -F '|' '{ printf "make %-16s %s\n", $$1, $$2 }'

demo: .venv/render ## Install into .venv, check this machine, render three pictures.
	$(BIN)/mpsdoctor demo

lint: .venv/dev ## Lint the code and check its format.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev ## Check the types, on Linux and on macOS.
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin

quick: lint ## After each edit: lint, types of what changed, the fast tests. About a minute.
	$(BIN)/mypy
	$(PYTEST) -m 'not heavy and not slow'

test: lint types ## Before each pull request: everything but the slow tests. About six minutes.
	$(PYTEST)

test-slow: .venv/dev ## Before a release: long soaks and full enumerations.
	$(PYTEST) --dist load -m slow

coverage: .venv/dev ## Which lines the tests run, in child processes too.
	$(BIN)/coverage erase
	OMP_NUM_THREADS=1 $(BIN)/coverage run -m pytest --numprocesses 2 --dist loadfile
	@# Tests that limit the size of files damage the data of their own child processes.
	-$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# make test-diffusers DIFFUSERS=0.35.0 TRANSFORMERS=4.56.0
test-diffusers: ## Test the parts that call Diffusers with another release of it.
	test -x .venv-diffusers/bin/python || $(PYTHON) -m venv .venv-diffusers
	grep '^torch==' constraints.txt > .venv-diffusers/torch.txt
	.venv-diffusers/bin/python -m pip install --quiet --constraint .venv-diffusers/torch.txt \
		--editable '.[dev]' diffusers==$(DIFFUSERS) transformers==$(TRANSFORMERS)
	.venv-diffusers/bin/pytest -W default tests/rendering tests/shapes/test_model.py \
		tests/cli/commands/test_render.py

# One environment for both extras; an extra is installed again when what it is made of changes.
.venv/%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'Python 3.10 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$*]'
	touch $@

constraints: ## Update the pinned versions in constraints.txt; needs uv.
	uv pip compile --universal --extra dev --python-version 3.10 --upgrade \
		--no-annotate --custom-compile-command 'make constraints' \
		--output-file constraints.txt pyproject.toml

macos-resolve: $(UV) ## Show that the dependencies install on arm64 Macs, for each macOS and Python.
	$(PYTHON) tests/support/macos_resolve.py $(UV)

.venv-uv/bin/uv:
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/python -m pip install --quiet uv

clean: ## Remove the environments and everything that was built.
	rm -rf .venv .venv-diffusers .venv-uv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.coverage .coverage.*

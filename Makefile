# Needs a Python 3.10 or newer; `make PYTHON=python3.12 …` chooses one.
PYTHON ?= python3
BIN := .venv/bin
UV := $(or $(shell command -v uv),.venv-uv/bin/uv)

.PHONY: demo test test-diffusers constraints macos-resolve clean

demo: .venv/render
	$(BIN)/mpsdoctor demo

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 --dist loadfile

# The parts that call Diffusers, with another release of it:
# make test-diffusers DIFFUSERS=0.35.0 TRANSFORMERS=4.56.0
test-diffusers:
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

constraints:
	uv pip compile --universal --extra dev --python-version 3.10 --upgrade \
		--no-annotate --custom-compile-command 'make constraints' \
		--output-file constraints.txt pyproject.toml

# Shows that the pins and the open ranges install on arm64 Macs, for each macOS and Python.
macos-resolve: $(UV)
	$(PYTHON) tests/support/macos_resolve.py $(UV)

.venv-uv/bin/uv:
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/python -m pip install --quiet uv

clean:
	rm -rf .venv .venv-diffusers .venv-uv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

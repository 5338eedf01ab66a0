# Needs a Python 3.10 or newer; `make PYTHON=python3.12 …` chooses one.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test constraints clean

demo: .venv/render
	$(BIN)/mpsdoctor demo

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform darwin
	$(BIN)/pytest

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

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

# One command each. They use the Python that is active, and change nothing in its environment.
#   make PYTHON=.venv/bin/python fast

PYTHON ?= python
RUN := $(PYTHON) -m

.PHONY: help format lint types imports fast test coverage check

help:
	@echo "make format    write every file in the house format, and fix what lint can fix"
	@echo "make lint      style of the code"
	@echo "make types     mypy, strict"
	@echo "make imports   which room may import which"
	@echo "make fast      tests that mostly start no process, in about a minute"
	@echo "make test      all tests"
	@echo "make coverage  all tests, and fail when fewer lines are run than before"
	@echo "make check     format, lint, types, imports and fast, as before a commit"

format:
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

lint:
	$(RUN) ruff check .
	$(RUN) ruff format --check .

types:
	$(RUN) mypy

imports:
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

fast:
	$(RUN) pytest -n 2 -m "not slow"

test:
	$(RUN) pytest -n 2

coverage:
	$(RUN) pytest -n 2 --cov --cov-report=term:skip-covered

check: lint types imports fast

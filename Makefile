# Two commands: `make up` serves everything on SQLite in one process, `make test` passes all tests.
# Both create what they need. PORT= and DATA_DIR= may be set for `make up`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
DATA_DIR ?= $(CURDIR)/var
export DATA_DIR
PYTEST_ARGS ?=

.PHONY: up test lint types web worker beat bench clean

$(VENV)/.installed: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	touch $@

.venv: $(VENV)/.installed

up: $(VENV)/.installed
	$(BIN)/python manage.py up --port $(PORT)

test: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/pytest $(PYTEST_ARGS)

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.installed
	$(BIN)/mypy

web: $(VENV)/.installed
	$(BIN)/gunicorn finaegis.wsgi:application --bind 127.0.0.1:$(PORT) --workers 2 --threads 8

worker: $(VENV)/.installed
	$(BIN)/celery -A finaegis.celery worker --loglevel INFO --without-gossip --without-mingle --without-heartbeat

beat: $(VENV)/.installed
	$(BIN)/celery -A finaegis.celery beat --loglevel INFO

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis

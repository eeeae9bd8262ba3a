# Two commands: `make up` serves everything on SQLite in one process, `make test` passes all tests.
# Both create what they need. PORT=, HOST= and DATA_DIR= may be set for `make up`.
# `make web`, `make worker` and `make beat` are the same parts apart: they want DATABASE_URL, BROKER_URL and REDIS_URL.
# Those four serve with the development settings unless DJANGO_SETTINGS_MODULE says otherwise.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000
HOST ?= 127.0.0.1
DATA_DIR ?= $(CURDIR)/var
export DATA_DIR
PYTEST_ARGS ?=
RACES ?= 10000
SIDE_BY_SIDE ?= -n 2 --dist loadfile
# Where the tests are that start real workers or a browser.
WITH_WORKERS := tests/faults tests/browser tests/lending tests/exchange tests/treasury tests/wallet tests/reporting
# What asks the database for something; files of rules that never do are left out by name.
ON_POSTGRES := tests/ledger tests/treasury tests/workflows tests/simulators/test_rail.py \
	tests/lending/test_lending_races.py tests/wallet/test_racing.py tests/reporting/test_snapshot.py \
	tests/exchange/test_many_traders.py tests/exchange/test_triggers.py \
	$(addprefix --ignore=tests/treasury/test_,programme.py optimisation.py allocation_rules.py constraints.py \
		instrument_files.py risk_rules.py mitigation_rules.py) \
	$(addprefix --ignore=tests/workflows/test_,calendars_days.py calendars_describing.py)
WEB_ARGS ?= --workers 2 --threads 8
WORKER_ARGS ?=

.PHONY: up test races thorough lint types web worker beat bench clean

up web worker beat: export DJANGO_SETTINGS_MODULE ?= finaegis.settings.dev

$(VENV)/.installed: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	touch $@

.venv: $(VENV)/.installed

up: $(VENV)/.installed
	DEBUG=$${DEBUG:-false} exec $(BIN)/python manage.py up --host $(HOST) --port $(PORT)

test: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	BIN=$(BIN) PYTEST_ARGS="$(PYTEST_ARGS)" WITH_WORKERS="$(WITH_WORKERS)" ON_POSTGRES="$(ON_POSTGRES)" tests/suite.sh

# The races of the suite, 500 of each kind there, in numbers that take a quarter of an hour.
races: $(VENV)/.installed
	RACES=$(RACES) $(BIN)/pytest $(PYTEST_ARGS) tests/faults/test_races.py tests/faults/test_many.py

# What the suite does in a bounded form, in its long one: all that asks `tests.bounds`.
thorough: $(VENV)/.installed
	THOROUGH=1 $(BIN)/pytest $(PYTEST_ARGS) $(SIDE_BY_SIDE) tests/core/test_replay_properties.py \
		tests/workflows/test_disturbed.py tests/treasury/test_programme.py tests/treasury/test_optimisation.py \
		tests/exchange/test_matching_core.py tests/exchange/test_order_flow.py tests/exchange/test_many_traders.py \
		tests/exchange/test_injected_failures.py tests/finaegis/test_books_hold.py

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.installed
	$(BIN)/mypy

web: $(VENV)/.installed
	DEBUG=$${DEBUG:-false} exec $(BIN)/gunicorn finaegis.wsgi:application --bind $(HOST):$(PORT) \
		--no-control-socket $(WEB_ARGS)

worker: $(VENV)/.installed
	DEBUG=$${DEBUG:-false} exec $(BIN)/celery -A finaegis.celery worker --hostname worker-$$$$@%h --loglevel INFO \
		--without-gossip --without-mingle --without-heartbeat $(WORKER_ARGS)

beat: $(VENV)/.installed
	DEBUG=$${DEBUG:-false} exec $(BIN)/celery -A finaegis.celery beat --loglevel INFO

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

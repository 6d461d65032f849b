# `make` alone lists the targets. ARGS reaches the command behind a target: make test ARGS="-k outcome".

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
# The suite's second run, with REQUIRE_SERVICES=1; Django makes and drops test_marquee beside it.
POSTGRES_URL ?= postgres://postgres@127.0.0.1:5432/marquee
PYTEST := $(BIN)/python -m pytest
# These ask no database, one of their own, or nothing that others do not ask of PostgreSQL: once is enough.
ONCE := tests/algorithms tests/docs tests/pages/test_demo.py tests/test_containers.py tests/test_env.py tests/test_project.py \
	tests/hostile/test_stored_text.py tests/pages/test_markup.py \
	tests/recommendations/test_simulating.py tests/training/test_bad_recipe.py tests/training/test_evaluate.py \
	tests/training/test_plots.py tests/training/test_tune.py
# Processes that share the tests, each with a database of its own; 0 runs them in one.
WORKERS ?= auto
MANAGE := $(BIN)/python manage.py
SCHEMA := docs/openapi.yaml
spectacular = DJANGO_SETTINGS_MODULE=recommender_site.settings.test $(MANAGE) spectacular --validate --fail-on-warn --file

# One BLAS thread a process: the arms are fitted in parallel with other work, never alone on a machine.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help demo up install test lint format types arch deploy-check schema schema-check check browser fuzz bench coverage lock
.DEFAULT_GOAL := help

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: .venv/demo.stamp ## Install, load real ratings, train and serve on 127.0.0.1:8000
	@exec $(MANAGE) demo $(ARGS)

up: .venv/demo.stamp ## Run production's processes here, on local PostgreSQL and Redis, until Ctrl-C
	@exec $(MANAGE) up $(ARGS)

install: .venv/dev.stamp ## Install everything for working on Marquee into .venv

test: .venv/dev.stamp ## Run the tests; REQUIRE_SERVICES=1 runs them on SQLite and on PostgreSQL, with Redis
ifeq ($(REQUIRE_SERVICES),1)
	@echo "On a SQLite file:"
	@env -u DATABASE_URL $(PYTEST) -n $(WORKERS) --dist worksteal $(ARGS)
	@echo "On PostgreSQL:"
	@DATABASE_URL=$(POSTGRES_URL) $(PYTEST) -n $(WORKERS) --dist worksteal $(ONCE:%=--ignore=%) $(ARGS)
else
	@$(PYTEST) -n $(WORKERS) --dist worksteal $(ARGS)
endif

lint: .venv/dev.stamp ## Lint and check the format of Python and templates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@if git ls-files -- '*.html' | grep -q .; then git ls-files -z -- '*.html' | xargs -0 $(BIN)/djlint --check --lint; fi

format: .venv/dev.stamp ## Put Python and templates into the agreed format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@if git ls-files -- '*.html' | grep -q .; then git ls-files -z -- '*.html' | xargs -0 $(BIN)/djlint --quiet --reformat; fi

types: .venv/dev.stamp ## Check the types
	@$(BIN)/mypy

arch: .venv/dev.stamp ## Check which room imports which
	@$(BIN)/lint-imports --no-cache --no-logo

# Made-up values: nothing here is connected to.
deploy-check: .venv/dev.stamp ## Check the production settings and the migrations
	@DJANGO_SETTINGS_MODULE=recommender_site.settings.prod \
	  SECRET_KEY=made-up-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ \
	  ALLOWED_HOSTS=marquee.example CSRF_TRUSTED_ORIGINS=https://marquee.example \
	  DATABASE_URL=postgres://marquee@db.example:5432/marquee REDIS_URL=redis://redis.example:6379/0 \
	  $(MANAGE) check --deploy --fail-level WARNING
	@DJANGO_SETTINGS_MODULE=recommender_site.settings.test $(MANAGE) makemigrations --check --dry-run

schema: .venv/dev.stamp ## Write the API's OpenAPI document to docs/openapi.yaml
	@mkdir -p docs
	@$(spectacular) $(SCHEMA)

schema-check: .venv/dev.stamp ## Fail when docs/openapi.yaml is not what the code says
	@mkdir -p var
	@$(spectacular) var/openapi.yaml
	@diff -u $(SCHEMA) var/openapi.yaml || { echo "The API changed: run 'make schema' and commit $(SCHEMA)."; exit 1; }

check: lint arch deploy-check types schema-check ## Everything quick: what to run before a commit

browser: .venv/dev.stamp ## Run the tests in Chromium (CHROMIUM names it, else /usr/bin/chromium)
	@$(PYTEST) -m browser -n $(WORKERS) --dist worksteal $(ARGS)

fuzz: .venv/dev.stamp ## Send made-up requests to every endpoint and look for server errors
	@$(PYTEST) -m fuzz -s $(ARGS)

NAME ?= serving
bench: .venv/dev.stamp ## List the benchmarks and run one: make bench NAME=serving
	@for file in benchmarks/*.py; do printf '  %-14s %s\n' "$$(basename $$file .py)" "$$(sed -n '1s/"""//gp' $$file)"; done
	@$(BIN)/python benchmarks/$(NAME).py $(ARGS)

coverage: .venv/dev.stamp ## Run the tests and list the lines they miss
	@$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage report --show-missing --skip-covered

# --- Packages ------------------------------------------------------------------------------------
# A stamp says what is installed; a file of requirements that changed makes it stale.
PACKAGES := requirements.txt requirements-demo.txt requirements-lock.txt

.venv/demo.stamp: $(PACKAGES) | $(BIN)/python
	$(call pip_install,requirements-demo.txt)
	@touch $@

.venv/dev.stamp: $(PACKAGES) requirements-evaluation.txt requirements-dev.txt | $(BIN)/python
	$(call pip_install,requirements-dev.txt)
	@touch .venv/demo.stamp $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Marquee needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.12"; exit 1; }
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "No virtual environment could be made. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

# pip's own words go to a log, shown only when it fails; on a terminal a counter shows that it moves.
define pip_install
	@mkdir -p var; echo "Installing $(1) into .venv (pip writes to var/install.log)"; \
	$(BIN)/python -m pip install --no-input --disable-pip-version-check -r $(1) > var/install.log 2>&1 & pip=$$!; \
	trap 'kill $$pip; exit 130' INT TERM; seconds=0; \
	while kill -0 $$pip 2> /dev/null; do \
	  if [ -t 1 ]; then printf '\r  %d packages, %d s ' "$$(grep -c ^Collecting var/install.log)" $$seconds; fi; \
	  sleep 1; seconds=$$((seconds + 1)); \
	done; \
	if ! wait $$pip; then tail -n 20 var/install.log; echo "Installing failed after $$seconds s."; exit 1; fi; \
	if [ -t 1 ]; then printf '\r'; fi; echo "  installed in $$seconds s         "
endef

lock: ## Write requirements-lock.txt anew after a change of the other requirements files
	@rm -rf var/lock && $(PYTHON) -m venv var/lock
	@cp requirements.txt requirements-demo.txt requirements-evaluation.txt requirements-dev.txt var/lock/ && : > var/lock/requirements-lock.txt
	@var/lock/bin/pip install --quiet --disable-pip-version-check -r var/lock/requirements-dev.txt
	@{ echo "# Every package of a full installation, used as constraints by the other requirements files."; \
	  echo "# Written by make lock."; var/lock/bin/pip freeze; } > requirements-lock.txt
	@rm -rf var/lock

# Everything a developer or an operator calls. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)

HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
THREADS ?= 8
export HOST PORT WORKERS THREADS

TEST_MYSQL ?= mysql://root@127.0.0.1/mechanic_shop
TEST_REDIS ?= redis://127.0.0.1:6379/9
JOBS ?= auto

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-mysql run serve test test-services \
	test-reliability test-soak test-browser \
	lint types imports migrations schema deploy-check check format

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

# --- Installing: a stamp for each requirements file, so a second call does nothing ------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is missing (Debian: apt install python3-venv)."; \
		exit 1; }

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-mysql: requirements-mysql.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $< || \
		{ echo "mysqlclient compiles against MySQL's headers" \
		"(Debian: apt install default-libmysqlclient-dev pkg-config gcc)."; exit 1; }
	@touch $@

# Looks for barriers to people with disabilities; the tests load it into pages.
AXE := tests/browser/node_modules/axe-core/axe.min.js
$(AXE):
	npm install --prefix tests/browser --no-save --no-package-lock --silent \
		axe-core@4.14.1

setup: $(VENV)/.installed ## Install what the product needs
setup-mysql: setup $(VENV)/.installed-mysql ## Install the MySQL driver too
setup-dev: $(VENV)/.installed-dev ## Install what development and the tests need

# --- Running ----------------------------------------------------------------------------

run: setup ## Set up, migrate, load demo data into an empty database, serve
	@python manage.py migrate --verbosity 0
	@python manage.py seed_demo --if-empty
	@python manage.py welcome
	@python manage.py runserver --skip-checks "$(HOST):$(PORT)"

serve: setup ## Serve the production form (see .env.example for its settings)
	@python manage.py collectstatic --noinput --verbosity 0 \
		--settings "$${DJANGO_SETTINGS_MODULE:-mechanic_shop.settings.production}"
	@exec python -m mechanic_shop.server

# --- Checking: `make check` is what CI runs beside the tests ----------------------------

test: setup-dev ## Run the whole suite that needs no service
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest --numprocesses $(JOBS) --dist loadgroup

test-services: setup-dev setup-mysql ## Run the same suite on MySQL/MariaDB and Redis
	@env -u DJANGO_SETTINGS_MODULE DATABASE_URL=$(TEST_MYSQL) REDIS_URL=$(TEST_REDIS) \
		python -m pytest --numprocesses $(JOBS) --dist loadgroup \
		--cov --cov-report term

test-reliability: setup-dev setup-mysql ## Race, break and restart the production form
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/reliability -m "reliability and not soak" \
		--numprocesses 2 --dist loadgroup

test-soak: setup-dev setup-mysql ## Keep the production form under load for long
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/reliability -m soak

test-browser: setup-dev $(AXE) ## Work in the back office with Chromium
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/browser -m browser

lint: setup-dev
	ruff check .
	ruff format --check .

types: setup-dev
	mypy .

imports: setup-dev
	lint-imports

migrations: setup-dev
	python manage.py makemigrations --check --dry-run \
		--settings mechanic_shop.settings.test

schema: setup-dev
	python manage.py spectacular --validate --fail-on-warn --file /dev/null \
		--settings mechanic_shop.settings.test

deploy-check: setup-dev
	SECRET_KEY=a-key-that-only-this-check-uses-and-that-is-long-enough-0123456789 \
	JWT_SECRET_KEY=another-key-that-only-this-check-uses-0123456789 \
	ALLOWED_HOSTS=shop.example DATABASE_URL= REDIS_URL= \
		python manage.py check --deploy --fail-level WARNING \
		--settings mechanic_shop.settings.production

check: lint types imports migrations schema deploy-check ## Run every check but the tests

format: setup-dev ## Let ruff put the code in order
	ruff check --fix .
	ruff format .

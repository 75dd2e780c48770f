# Everything a developer or an operator calls. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)

HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 2
THREADS ?= 8
DRAIN_SECONDS ?= 1
export HOST PORT WORKERS THREADS DRAIN_SECONDS

TEST_MYSQL ?= mysql://root@127.0.0.1/mechanic_shop
TEST_REDIS ?= redis://127.0.0.1:6379/9
JOBS ?= auto
# Which tests `make test` runs; none named: all.
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-mysql run serve backup restore purge \
	test test-services \
	test-reliability test-topology test-cluster test-soak test-browser \
	test-clients test-postman test-contract \
	client-python client-typescript \
	lint types imports migrations schema deploy-check check format lock test-pythons \
	test-locks messages update apply-update

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

# --- Installing: a stamp for each requirements file, so a second call does nothing ------

# A lock file names everything, so pip resolves nothing; `pip check` proves that it does.
PIP = $(BIN)/python -m pip --disable-pip-version-check
define install
@echo "Installing $(1) into $(VENV); the first time this takes about half a minute."
@$(PIP) install --quiet --no-deps --requirement $(1)
@$(PIP) check >$(VENV)/pip-check.txt || { cat $(VENV)/pip-check.txt; exit 1; }
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is missing (Debian: apt install python3-venv)."; \
		exit 1; }

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(call install,$<)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(BIN)/python
	$(call install,$<)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-mysql: requirements-mysql.txt | $(BIN)/python
	@echo "Compiling the MySQL driver; this takes some seconds."
	@$(PIP) install --quiet --no-deps --requirement $< || \
		{ echo "mysqlclient compiles against MySQL's headers" \
		"(Debian: apt install default-libmysqlclient-dev pkg-config gcc)."; exit 1; }
	@$(PIP) check >$(VENV)/pip-check.txt || { cat $(VENV)/pip-check.txt; exit 1; }
	@touch $@

# The benchmark's peers stay out of the environment that the product is developed in.
PEERS := $(VENV)/bench
$(PEERS)/.installed: benchmarks/requirements.txt | $(BIN)/python
	$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	$(PEERS)/bin/python -m pip --disable-pip-version-check check
	@touch $@

# Looks for barriers to people with disabilities; the tests load it into pages.
AXE := tests/browser/node_modules/axe-core/axe.min.js
$(AXE):
	npm install --prefix tests/browser --no-save --no-package-lock --no-audit --no-fund --silent \
		axe-core@4.14.1

# Runs the Postman collection on the command line.
NEWMAN := postman/node_modules/.installed
$(NEWMAN): postman/package.json postman/package-lock.json
	npm ci --prefix postman --silent --no-audit --no-fund
	@touch $@

# Which versions fit each other, on every Python and system: uv finds out.
LOCK := $(VENV)/lock
$(LOCK)/bin/uv: | $(BIN)/python
	$(BIN)/python -m venv $(LOCK)
	$(LOCK)/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

UPGRADE ?=
COMPILE = $(LOCK)/bin/uv pip compile --quiet --no-header --no-annotate \
	--no-emit-index-url --no-strip-extras --universal --python-version 3.11 --generate-hashes \
	$(UPGRADE:%=--upgrade-package %)

lock: $(LOCK)/bin/uv ## Rewrite requirements*.txt from requirements/*.in
	$(COMPILE) requirements/product.in --output-file requirements.txt
	$(COMPILE) requirements/mysql.in --constraints requirements.txt \
		--output-file requirements-mysql.txt
	$(COMPILE) requirements/dev.in --constraints requirements.txt \
		--output-file requirements-dev.txt
	$(COMPILE) requirements/clients.in --constraints requirements-dev.txt \
		--output-file requirements-clients.txt
	$(COMPILE) requirements/bench.in --constraints requirements.txt \
		--output-file benchmarks/requirements.txt

setup: $(VENV)/.installed ## Install what the product needs
setup-mysql: setup $(VENV)/.installed-mysql ## Install the MySQL driver too
setup-dev: $(VENV)/.installed-dev ## Install what development and the tests need

# --- Running ----------------------------------------------------------------------------

run: setup ## Set up, migrate, load demo data into an empty database, serve
	@python -m mechanic_shop.server.port
	@python manage.py migrate --verbosity 0
	@python manage.py seed_demo --if-empty
	@python manage.py welcome
	@exec python -m mechanic_shop.server.with_worker \
		python manage.py runserver --skip-checks "$(HOST):$(PORT)"

PRODUCTION_MODULE = "$${DJANGO_SETTINGS_MODULE:-mechanic_shop.settings.production}"
PRODUCTION = --settings $(PRODUCTION_MODULE)

serve: setup ## Serve the production form (see .env.example for its settings)
	@python -m mechanic_shop.server.port
	@python manage.py check_migrated $(PRODUCTION)
	@python manage.py collectstatic --noinput --verbosity 0 $(PRODUCTION)
	@echo $$$$ 2>/dev/null >"$(VENV)/serve-$(PORT).pid"; \
		export DJANGO_SETTINGS_MODULE=$(PRODUCTION_MODULE); \
		exec python -m mechanic_shop.server.with_worker python -m mechanic_shop.server

# What was pulled may need another Makefile than the one that pulls it.
VERSION ?=
update: ## Take over a newer VERSION: code, packages, tables, static files, servers
	@before=$$(git rev-parse HEAD) && \
		$(if $(VERSION),git fetch --quiet --tags && git checkout --quiet "$(VERSION)",\
		git pull --quiet --ff-only) && \
		echo "From $$(git describe --tags --always $$before) to $$(git describe --tags --always)." && \
		$(MAKE) --no-print-directory apply-update BEFORE=$$before

BEFORE ?=
apply-update: setup $(if $(wildcard $(VENV)/.installed-mysql),setup-mysql)
	@deploy/shop check --deploy
	@deploy/shop migrate
	@deploy/shop collectstatic --noinput --verbosity 0
	@deploy/reload $(BEFORE)
	@deploy/shop refresh_copies

# --- Keeping: see docs/operations.md ----------------------------------------------------

FILE ?=
DATABASE ?=

backup: setup ## Save the database to a new FILE, while the shop works
	@python manage.py backup $(if $(FILE),"$(FILE)")

restore: setup ## Restore FILE to an empty or new DATABASE, and compare
	@test -n "$(FILE)" || { echo "Which one? make restore FILE=…"; exit 2; }
	@python manage.py restore "$(FILE)" $(if $(DATABASE),--database "$(DATABASE)")

purge: setup ## Remove ended sessions, old keys and idle counters
	@python manage.py purge

# --- Measuring: see docs/performance.md -------------------------------------------------

BENCH ?= --growth 10 --soak 300
BENCH_SMOKE ?=

bench: needs-bench $(PEERS)/.installed ## Measure beside Flask, FastAPI, plain DRF and the limit
	$(PEERS)/bin/python -m benchmarks $(BENCH)

bench-smoke: needs-bench $(PEERS)/.installed ## Fail if it became much slower beside plain DRF
	$(PEERS)/bin/python -m benchmarks --smoke $(BENCH_SMOKE)

# --- Checking: `make check` is what CI runs beside the tests ----------------------------

test: setup-dev ## Run the whole suite that needs no service
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest $(TESTS) --numprocesses $(JOBS) --dist loadgroup

PYTHONS ?= $(shell .ci/pythons)
test-pythons: ## Run the suite on every other Python that is installed
	@for python in $(PYTHONS); do \
		$$python --version; \
		$(MAKE) --no-print-directory test PYTHON=$$python \
			VENV=.venv/$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])') \
			|| exit 1; \
	done

test-locks: ## Install what is pinned with the oldest pip of every Python that is installed
	@.ci/locks $(PYTHON)

test-services: setup-dev setup-mysql ## Run the same suite on MySQL/MariaDB and Redis
	@env -u DJANGO_SETTINGS_MODULE DATABASE_URL=$(TEST_MYSQL) REDIS_URL=$(TEST_REDIS) \
		TIME_ZONE=America/New_York \
		python -m pytest --numprocesses $(JOBS) --dist loadgroup \
		--cov --cov-report term

# The programs that a suite starts are looked for before anything is installed.
NEEDS_SERVERS := mariadbd=mariadb-server redis-server=redis-server
NEEDS_reliability := $(NEEDS_SERVERS)
NEEDS_soak := $(NEEDS_SERVERS)
NEEDS_topology := $(NEEDS_SERVERS) haproxy=haproxy openssl=openssl
NEEDS_cluster := $(NEEDS_topology) mariadb-backup=mariadb-backup socat=socat \
	/usr/lib/galera/libgalera_smm.so=galera-4
NEEDS_browser := chromium=chromium npm=npm
NEEDS_postman := npm=npm
NEEDS_clients := npm=npm
NEEDS_bench := $(NEEDS_SERVERS) wrk=wrk
needs-%:
	@.ci/needs $(NEEDS_$*)

test-reliability: needs-reliability setup-dev setup-mysql ## Race, break and restart the production form
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/reliability -m "reliability and not soak" \
		--numprocesses 2 --dist loadgroup

test-topology: needs-topology setup-dev setup-mysql ## Work, break and update it all behind the proxy
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/topology -m topology

test-soak: needs-soak setup-dev setup-mysql ## The same two for long: under load, and from more seeds
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/reliability tests/contract -m soak

test-cluster: needs-cluster setup-dev setup-mysql ## Run on three database servers that take writes
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/cluster -m cluster

test-contract: setup-dev ## Try with generated requests whether schema.yml is true
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/contract -m contract --numprocesses 2

test-browser: needs-browser setup-dev $(AXE) ## Work in the back office with Chromium
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/browser -m browser --numprocesses 2 --dist loadgroup

test-postman: needs-postman setup-dev $(NEWMAN) ## Run the Postman collection on the production form
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/postman -m postman --numprocesses 2 --dist loadgroup

test-clients: needs-clients setup-dev ## Generate typed clients and talk to a server by them
	@env -u DATABASE_URL -u REDIS_URL -u DJANGO_SETTINGS_MODULE \
		python -m pytest tests/clients -m clients

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
	python manage.py lint_migrations --settings mechanic_shop.settings.test

SPECTACULAR = python manage.py spectacular --validate --fail-on-warn \
	--settings mechanic_shop.settings.test --file

schema: setup-dev
	@mkdir -p test-artifacts
	$(SPECTACULAR) test-artifacts/schema.yml
	@diff -u schema.yml test-artifacts/schema.yml || { \
		echo "The API is not what schema.yml says. If that is meant: make schema.yml"; exit 1; }

MESSAGES := mechanic_shop/locale/en/LC_MESSAGES/django
messages: setup-dev ## Compile the sentences that replace Django's
	python -c 'import polib; polib.pofile("$(MESSAGES).po").save_as_mofile("$(MESSAGES).mo")'

.PHONY: schema.yml
schema.yml: setup-dev ## Write the OpenAPI document
	$(SPECTACULAR) $@

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

# --- Typed clients, generated from schema.yml; docs/api.md shows how to use them --------

GENERATORS := $(VENV)/generators
TYPESCRIPT := tests/clients/node_modules/.installed

$(GENERATORS)/.python: requirements-clients.txt | $(BIN)/python
	@$(BIN)/python -m venv $(GENERATORS)
	@$(GENERATORS)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	@$(GENERATORS)/bin/python -m pip --disable-pip-version-check check
	@touch $@

$(TYPESCRIPT): tests/clients/package.json tests/clients/package-lock.json
	@npm ci --prefix tests/clients --silent --no-audit --no-fund
	@touch $@

client-python: $(GENERATORS)/.python ## Write a typed Python client
	@PATH="$(abspath $(GENERATORS))/bin:$$PATH" openapi-python-client generate \
		--path schema.yml --meta pdm --overwrite --output-path clients/python

client-typescript: $(TYPESCRIPT) ## Write types for TypeScript
	@tests/clients/node_modules/.bin/openapi-typescript schema.yml \
		--default-non-nullable false --output clients/typescript/mechanic-shop.d.ts

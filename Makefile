# Two targets do everything on a fresh Debian machine with Python 3.11 and make: `make demo` and `make test`.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do command -v $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
SITE ?= demo
# Programs that some tests talk to: clients written by others, and what builds them.
DEBIAN_PACKAGES := python3-venv mbpoll libmodbus-dev pkg-config gcc libc6-dev socat \
  snmp snmpd snmptrapd smitools mosquitto mosquitto-clients tshark librsvg2-bin \
  $(if $(shell command -v npm),,nodejs npm)
NODE_CLIENT := tests/buses/bacnet/clients

.DEFAULT_GOAL := help

help: ## Show this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.installed ## Install into .venv and run the demo site (SITE=single for the small one)
	$(BIN)/vdigiware run $(SITE)

test: lint debian $(NODE_CLIENT)/node_modules ## Install what the tests need and run all of them
	$(BIN)/python -m pytest

lint: $(VENV)/.tested ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.tested debian ## Measure this project beside its peers
	$(BIN)/python bench/run.py

schema: $(VENV)/.installed ## Write docs/site.schema.json anew
	$(BIN)/vdigiware schema > docs/site.schema.json

gallery: $(VENV)/.installed ## Draw the pictures of docs/architectures.md anew
	$(BIN)/python -m virtual_digiware.simulator.diagram.gallery docs

# As root on Debian the packages are installed; elsewhere the tests that need them say what is missing.
debian:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  dpkg -s $(DEBIAN_PACKAGES) >/dev/null 2>&1 || \
	    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(DEBIAN_PACKAGES); } || \
	    echo "Debian packages could not be installed; tests that need them will say so"; \
	fi

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(MAKE) --no-print-directory debian
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.installed

# A BACnet client in JavaScript; without npm the test that needs it says what is missing.
$(NODE_CLIENT)/node_modules: $(NODE_CLIENT)/package.json
	@if command -v npm >/dev/null; then \
	  npm install --prefix $(NODE_CLIENT) --no-package-lock --no-audit --no-fund --loglevel=error && touch $@; \
	fi

clean: ## Remove .venv and everything that tests and builds leave
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

.PHONY: help demo test lint bench schema gallery debian clean

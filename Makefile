# Nothing but names for what scripts/ and .venv/bin do. ARGS= passes arguments on: make test ARGS="-m testbed -n 2"
.DEFAULT_GOAL := help
.NOTPARALLEL:
# The suite starts hundreds of processes, and each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help setup run test lint bench truth clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing, make .venv, build the images
	@scripts/setup

run: setup ## show the Portainer failure and its cures on real containers
	@.venv/bin/testbed run portainer $(ARGS)

# How many workers auto is, tests/conftest.py says; of two -n the later one counts.
test: ## run the whole test suite, on all processors
	@scripts/setup test
	@.venv/bin/pytest -n auto $(ARGS)

lint: ## ruff, mypy, import-linter and shellcheck, all of them
	@scripts/setup lint
	@scripts/lint

bench: setup ## measure: hosts, probes and scenarios beside their rivals
	@.venv/bin/python -m benchmarks $(ARGS)

truth: setup ## try 20,000 random cells on the real kernel, cures and sentences too, and each fault once
	@.venv/bin/python -m truth $(ARGS)

clean: ## remove what the above made: leftover labs, images, .venv and caches
	@scripts/clean

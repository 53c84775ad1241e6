# Everything a developer types. Each target brings what it lacks; see deploy/bootstrap.
.PHONY: setup services images demo test test-fast check bench bench-sandbox bench-workflows bench-replay bench-ci bench-model clean help

CASE ?= wrong-operator
MODEL ?=
LANGUAGES ?=
ROUNDS ?= 15
DATASET ?= datasets
PY := .venv/bin/python
export HEAL_STATE_DIR ?= $(CURDIR)/.heal

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## uv, .venv with the locked dependencies
	@deploy/bootstrap python

services: setup ## the Docker engine, Redis, debootstrap
	@deploy/bootstrap services

images: services ## the sandbox images: LANGUAGES="python node"; all by default
	@.venv/bin/heal images build --quiet $(LANGUAGES)

demo: LANGUAGES = python debian
demo: images ## the main job, end to end: CASE=name|all MODEL=openai:... KEEP=1
	@$(PY) -m tests.story.demo --case '$(CASE)' $(if $(MODEL),--model '$(MODEL)') $(if $(KEEP),--keep)

check: setup ## formatting, lint, types, import rules
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

test: check images ## everything CI runs
	@deploy/bootstrap tests
	rm -f .coverage .coverage.*
	.venv/bin/coverage run -m pytest -q -n 4 --dist loadfile --durations 30 --durations-min 5 --junitxml .heal/junit.xml
	.venv/bin/coverage combine -q
	.venv/bin/coverage report

test-fast: setup ## the inner loop: no engine, no Redis, no other process
	$(PY) -m pytest -q -n 2 -m 'not engine and not redis and not postgres and not browser and not story and not process'

bench: LANGUAGES = python debian
bench: images ## measured figures, printed as tables and kept in benchmarks/RESULTS.md
	$(PY) -m benchmarks
	$(PY) -m benchmarks.diagnosis
	$(PY) -m benchmarks.tools

bench-sandbox: images ## the same for the sandbox alone: ROUNDS=15
	$(PY) -m benchmarks.sandbox --rounds $(ROUNDS)
	$(PY) -m benchmarks.sandbox_trees --rounds $(ROUNDS)
	$(PY) -m benchmarks.sandbox_caches --rounds 5
	$(PY) -m benchmarks.event --rounds $(ROUNDS)
	$(PY) -m benchmarks.screening --rounds $(ROUNDS)

bench-replay: setup services ## 1,000 mixed deliveries, out of order and a tenth of them twice: exact counts
	$(PY) -m benchmarks.replay --keep

bench-ci: images ## our own red repositories, healed offline: OUT=folder for the report
	.venv/bin/heal bench ci --fresh $(if $(OUT),--out $(OUT))

bench-model: LANGUAGES = python debian
bench-model: images ## what the engine makes of a model's answers, with no model: DATASET=folder of git repositories
	$(PY) -m benchmarks.factorised --dataset $(DATASET) --keep

bench-workflows: setup ## the planner over public workflow files: DATASET=folder of bare mirrors
	$(PY) -m benchmarks.workflows --dataset $(DATASET)

clean: ## what the build left in this folder (not the engine's images)
	rm -rf .venv .tools .heal .mypy_cache .ruff_cache .pytest_cache .coverage

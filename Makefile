# Everything a developer types. Each target brings what it lacks; see deploy/bootstrap.
.PHONY: setup services images demo test test-fast check chaos bench bench-sandbox bench-workflows bench-replay bench-load bench-ci bench-model fuzz audit sbom bills clean help

CASE ?= wrong-operator
MODEL ?=
LANGUAGES ?=
ROUNDS ?= 15
SECONDS ?= 600
DATASET ?= datasets
SECONDS_EACH ?= 60
FUZZ_SEED ?= 0
FUZZ ?= tests/fuzz tests/fuzz/growth.py
SEED ?= 0
DATABASE ?= both
PY := .venv/bin/python
export HEAL_STATE_DIR ?= $(CURDIR)/.heal
# Where the environment forbids it, every start of a Python process compiles all it imports: 1.5 s of processor time.
export PYTHONDONTWRITEBYTECODE =

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

chaos: LANGUAGES = python debian
chaos: images ## 500 runs under kills, flushes and outages, at most 15 minutes: SEED=number DATABASE=sqlite|postgresql
	@deploy/bootstrap tests
	$(PY) -m tests.chaos --seed $(SEED) --database $(DATABASE)

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

bench-load: setup services ## the receiver under load, runs an hour, memory: SECONDS=600 of the steady rate
	@deploy/bootstrap tests
	$(PY) -m benchmarks.load --seconds $(SECONDS) --keep

bench-ci: images ## our own red repositories, healed offline: OUT=folder for the report
	.venv/bin/heal bench ci --fresh $(if $(OUT),--out $(OUT))

bench-model: LANGUAGES = python debian
bench-model: images ## what the engine makes of a model's answers, with no model: DATASET=folder of git repositories
	$(PY) -m benchmarks.factorised --dataset $(DATASET) --keep

bench-workflows: setup ## the planner over public workflow files: DATASET=folder of bare mirrors
	$(PY) -m benchmarks.workflows --dataset $(DATASET)

fuzz: setup ## every reader of text from outside, and every endpoint: SECONDS_EACH=60 FUZZ_SEED= FUZZ="files"
	$(PY) -m pytest -q -p tests.fuzz.deep --fuzz-seconds $(SECONDS_EACH) --fuzz-seed $(FUZZ_SEED) --timeout 0 $(FUZZ)

audit: setup ## what is publicly known against the locked packages, where the service answers
	@$(PY) -m tests.supply.audit

sbom: setup images bills ## what the lock and the sandbox images hold, as CycloneDX: OUT=folder

bills:
	@mkdir -p $(or $(OUT),sbom)
	@.tools/bin/uv export --locked --quiet --format cyclonedx1.5 --no-default-groups --all-extras \
	  --output-file $(or $(OUT),sbom)/heal.cdx.json >/dev/null
	@.tools/bin/uv export --locked --quiet --format cyclonedx1.5 --all-groups --all-extras \
	  --output-file $(or $(OUT),sbom)/development.cdx.json >/dev/null
	@.venv/bin/heal images sbom $(or $(OUT),sbom)

clean: ## what the build left in this folder (not the engine's images)
	rm -rf .venv .tools .heal .mypy_cache .ruff_cache .pytest_cache .coverage

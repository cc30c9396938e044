.DEFAULT_GOAL := help
.PHONY: help validate test lint check format bench schema

help: ## what can be done here
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

validate: ## set up, start the sandbox, run its smoke validation, leave the reports
	@scripts/setup.sh browser
	@.venv/bin/pytest --env=sandbox -m smoke

test: ## set up, pass the project's own tests
	@scripts/setup.sh browser postgresql redis applications
	@.venv/bin/pytest plugins sandbox --doctest-modules -q --ignore-glob='*/load/*users.py'
	@.venv/bin/pytest tests -n 2 --dist worksteal -q

lint: ## linters, type checker, import rule, spelling, dead code
	@scripts/setup.sh
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/codespell
	@.venv/bin/vulture

check: lint validate test ## all that CI does

format: ## format the code
	@scripts/setup.sh
	@.venv/bin/ruff check --fix --silent; .venv/bin/ruff format

bench: ## measure, and compare with other tools
	@scripts/setup.sh browser k6 wrk
	@.venv/bin/python benchmarks/smoke_overhead.py
	@.venv/bin/python benchmarks/api_checks.py
	@.venv/bin/python benchmarks/page_speed.py
	@.venv/bin/python benchmarks/health_sweep.py
	@.venv/bin/python benchmarks/load_latency.py
	@.venv/bin/python benchmarks/judge_evidence.py
	@.venv/bin/python benchmarks/report_page.py --check
	@.venv/bin/python benchmarks/report_page.py
	@.venv/bin/python benchmarks/sandbox_throughput.py
	@.venv/bin/python benchmarks/trigger_simulation.py

schema: ## write both JSON Schemas and docs/reference.md anew
	@scripts/setup.sh
	@.venv/bin/deployment-gate schema > environments/environment.schema.json
	@.venv/bin/deployment-gate schema --verdict > plugins/deployment_gate/reports/verdict.schema.json
	@.venv/bin/python scripts/reference.py > docs/reference.md
